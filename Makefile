# make demo         the main job on the project's own sample, from nothing
# make test         lint and the whole test suite, from nothing; make lint and make pytest are its halves
# make desktop      the module in a window of the headless desktop, where there is a screen
# make screenshots  the README's pictures
# make validators   programs of others (dciodvfy, dcmqi; 300 MB) that the tests check DICOM results with, if they are there
# make benchmark    the design's numbers

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo demo-command test pytest lint desktop screenshots validators benchmark clean

# What a user does, in the headless desktop where it can be installed (CPython 3.11 on Linux); else the command.
demo: demo-command
	@if $(BIN)/python -c "import slicer, PySide6" 2>/dev/null; then \
	  QT_QPA_PLATFORM=offscreen $(BIN)/python -m tools.demo --output build/demo; \
	else echo "The headless desktop is not installed here; the command's demo above is all."; fi

# The cascade through its command line: phantom, segmentation, measurements, Dice, pictures.
demo-command: $(VENV)/.installed
	$(BIN)/python -m tools.demo_command --output build/demo

test: lint pytest

# Three processes on two cores, for a test waits where it watches another process; a file's tests in one of them, the
# fast ones first. Python keeps what it compiles, or hundreds of processes would compile it anew.
pytest: export PYTHONDONTWRITEBYTECODE =
pytest: $(VENV)/.installed
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

# Faults, layout, types.
lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

desktop: $(VENV)/.installed
	$(BIN)/python -m Testing.desktop SERUSegmentation/SERUSegmentation.py

screenshots: $(VENV)/.installed
	$(BIN)/python -m tools.screenshots

validators: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[validators]"

benchmark: $(VENV)/.installed
	$(BIN)/python -m benchmarks.end_to_end

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,training,desktop,openvino,dicom,page,cohort]"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps pretrainedmodels==0.7.4
	touch $@

clean:
	rm -rf build $(VENV)
