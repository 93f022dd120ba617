"""A network captured as a CUDA graph: some hundred kernels are started at once, without Python between them."""

from __future__ import annotations

import torch

# Before the capture libraries make what they need, and kernels are chosen; torch's manual asks for some runs.
_RUNS_BEFORE = 3


class CapturedNetwork:
    """A network for batches of one shape; runs on the current device, in its current stream.

    Graphs share their memory: one replay must be over, and its result copied, before the next begins. In one stream
    they are.

    Args:
        network: on the device; in inference mode.
        batch: uint8, of the shape wanted, on the CPU or the device.
        other: whose memory it shares, if there is one.

    Raises:
        RuntimeError: the device has too little memory, or cannot capture.
    """

    def __init__(self, network: torch.nn.Module, batch: torch.Tensor, other: CapturedNetwork | None = None) -> None:
        self._images = batch.to("cuda", copy=True)
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(_RUNS_BEFORE):
                network(self._images)
        torch.cuda.current_stream().wait_stream(beside)
        self._graph = torch.cuda.CUDAGraph()
        pool = None if other is None else other._graph.pool()
        with torch.cuda.graph(self._graph, pool=pool, capture_error_mode="thread_local"):
            self._output = network(self._images)

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """Start the network on a batch.

        Args:
            batch: uint8, of the captured shape; in pinned memory it is copied without waiting.

        Returns:
            The result on the device, until the next call of any captured network.
        """
        self._images.copy_(batch, non_blocking=True)
        self._graph.replay()
        return self._output
