"""The packages that a run needs, and the sentence where one is missing."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from seru.errors import BadInputError, MissingPackageError

# How a package is imported, and how pip calls it.
PACKAGES = {
    "torch": "torch",
    "cv2": "opencv-python-headless",
    "platformdirs": "platformdirs",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "SimpleITK": "SimpleITK",
    "skimage": "scikit-image",
    "tqdm": "tqdm",
}


def package_error(error: ImportError) -> MissingPackageError | None:
    """Say which packages are missing, or cannot be loaded.

    Args:
        error: of an import.

    Returns:
        The error with every package that is missing, not only the first; None where it is about none of them.
    """
    module = (error.name or "").partition(".")[0]
    if module not in PACKAGES:
        return None
    missing = [pip for name, pip in PACKAGES.items() if _is_missing(name)]
    if missing:
        are = "package is" if len(missing) == 1 else "packages are"
        return MissingPackageError(
            f"What the segmentation needs is not installed, the {are} missing: {', '.join(missing)}; "
            f"in 3D Slicer open Setup in the module and click Install, elsewhere run 'pip install {' '.join(missing)}'."
        )
    reason = " ".join(str(error).split()).rstrip(".")
    return MissingPackageError(
        f"The package {PACKAGES[module]} is installed but cannot be loaded ({reason}); install it again."
    )


def require_optional(module: str, package: str, doing: str) -> None:
    """Check that a package is there that only some outputs need.

    Args:
        module: how it is imported.
        package: how pip calls it.
        doing: what needs it; begins the sentence.

    Raises:
        BadInputError: it is not, with how to get it.
    """
    try:
        import_module(module)
    except ImportError as error:
        raise BadInputError(
            f"{doing} needs {package}, which is not installed; install it with 'pip install {package}'."
        ) from error


def _is_missing(module: str) -> bool:
    try:
        return find_spec(module) is None
    except (ImportError, ValueError):
        return True
