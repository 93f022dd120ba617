# SERU's command for clusters without a GPU: seru segment, batch, measure, ... and Dask's scheduler and workers.
#
#   docker build -t seru .
#   docker run --rm --network none --user "$(id -u)" -v /scans:/data seru segment ct.nii.gz -o labels.nii.gz
#
# The weights of the sources are inside, so nothing is downloaded when it runs; a checkout of a release fetches them first
# (seru models fetch). They are CC BY-NC-SA 4.0, and so is any image that holds them. Research use only.

FROM python:3.11-slim-bookworm AS build

# PyPI's torch for Linux brings CUDA, gigabytes of it; the index of PyTorch's CPU builds makes a small image.
ARG TORCH_INDEX=""

WORKDIR /src
RUN python -m venv /opt/seru
ENV PATH=/opt/seru/bin:$PATH
COPY constraints.txt ./
# By itself: torch changes less often than what uses it.
RUN pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch
COPY pyproject.toml README.md LICENSE ./
COPY SERUSegmentation ./SERUSegmentation
RUN pip install --no-cache-dir -c constraints.txt ".[cohort,dicom,openvino,page]" \
    && seru models verify

FROM python:3.11-slim-bookworm

COPY --from=build /opt/seru /opt/seru
# Networks that OpenVINO has converted are kept here, for any user.
RUN useradd --create-home --uid 1000 seru \
    && mkdir -m 1777 /var/cache/seru
ENV PATH=/opt/seru/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/var/cache/seru
USER 1000
WORKDIR /data
ENTRYPOINT ["seru"]
CMD ["--help"]
