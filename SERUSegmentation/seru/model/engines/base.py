"""The engines' interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from seru.model.card import NetworkStage
from seru.model.store import Model


class OutOfMemory(Exception):  # noqa: N818 - a signal to the batch loop, not an error for users
    """The device has too little memory for this batch."""


class Engine(ABC):
    """Runs both stages of a model on one device.

    A stage's network is loaded at its first batch and stays until :meth:`release`.

    Args:
        model: card and weights.
        device: ``cpu``, ``cuda:N`` or ``mps``.
    """

    name: str
    batches_ahead = 0
    """How many batches may be started beside the one that is waited for."""

    def __init__(self, model: Model, device: str) -> None:
        self.model = model
        self.device = device

    @abstractmethod
    def predict(self, stage: NetworkStage, images: np.ndarray) -> np.ndarray:
        """Return the foreground probabilities of a batch of slices.

        Args:
            stage: ``coarse`` or ``refine``.
            images: uint8, shape (B, 1, H, W) or (B, 3, H, W), pre-processed.

        Returns:
            uint8, shape (B, 2, H, W): kidney and tumor probability times 255.

        Raises:
            OutOfMemory: the batch is too large for the device.
            DeviceError: the device failed.
        """

    def start(self, stage: NetworkStage, images: np.ndarray) -> Callable[[], np.ndarray]:
        """Start a batch, and go on where the device works by itself; others run it once its result is asked for.

        Args:
            stage: as for :meth:`predict`.
            images: as for :meth:`predict`.

        Returns:
            What waits for the result and returns it, once; it raises as :meth:`predict` does.

        Raises:
            OutOfMemory: the batch is too large for the device.
            DeviceError: the device failed.
        """
        return partial(self.predict, stage, images)

    @abstractmethod
    def batch_size(self, shape_rc: Sequence[int]) -> int:
        """Return how many slices of a size fit into the free memory at once, at least 1.

        Args:
            shape_rc: rows and columns of the images.
        """

    @abstractmethod
    def release(self, stage: NetworkStage | None = None) -> None:
        """Free the networks and the device's memory.

        Args:
            stage: whose network; None frees both.
        """


def first_line(error: BaseException) -> str:
    """Return what a library said first, for a message; OpenVINO's places in its source say nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("Exception from")] or lines
    return lines[0][:200].rstrip(".") if lines else type(error).__name__
