"""OpenVINO without its telemetry; the one module that imports it.

Importing OpenVINO, or converting a network with it, posts an event with an identifier of this computer to an analytics
server and writes into the home folder, where the package ``openvino_telemetry`` is found. pip always installs that
package beside OpenVINO; OpenVINO itself runs without it.
"""

from __future__ import annotations

import sys

# Python then takes the package for missing, here and in whatever this process imports later.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino  # noqa: E402 - after the line above, or it is too late

__all__ = ["openvino"]
