"""The networks of others that ``benchmarks.peers`` times: what they are, how often they run on a CT, one pass of each.

As a program, in a process of its own, it times passes of one of them and prints a line of JSON. Weights are random but
for the public U-Net's: the time of a pass does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

UNET = "unet-kits19"
UNET_MODEL = "unet_kits19.xml"
_UNET_SIDE = 512
_UNET_WINDOW_HU = (-125.0, 225.0)


@dataclass(frozen=True)
class Plan:
    """A network of nnU-Net's, and how it goes over a CT.

    Attributes:
        title: for the table.
        spacing_kji_mm: that the CT is resampled to.
        patch_kji: size of a pass, in voxels.
        features: channels of each stage.
        last_stride_kji: of the last stage; those between the first and it halve every axis.
        blocks: residual blocks of each stage of the encoder; empty for two convolutions a stage, on both paths.
        classes: with background.
        step: of the sliding window, as a part of the patch.
        source: where these facts are from.
    """

    title: str
    spacing_kji_mm: tuple[float, float, float]
    patch_kji: tuple[int, int, int]
    features: tuple[int, ...]
    last_stride_kji: tuple[int, int, int]
    classes: int
    source: str
    blocks: tuple[int, ...] = ()
    step: float = 0.5


PLANS = {
    "nnunet-kits19-winner": Plan(
        title="nnU-Net, KiTS19's winner: residual, 3.22 x 1.62 x 1.62 mm",
        spacing_kji_mm=(3.22, 1.62, 1.62),
        patch_kji=(80, 160, 160),
        features=(32, 64, 128, 256, 320, 320),
        last_stride_kji=(1, 2, 2),
        classes=3,
        blocks=(1, 2, 3, 4, 4, 4),
        source="spacing and patch: MIC-DKFZ/nnUNet issue 52; residual encoder: arXiv 1908.02182, its blocks: nnU-Net "
        "1's generic_modular_residual_UNet; features and pooling: nnU-Net's defaults for such a patch",
    ),
    "nnunet-kits-fullres": Plan(
        title="nnU-Net, 3D full resolution for KiTS: plain, 0.78 mm",
        spacing_kji_mm=(0.78125, 0.78125, 0.78125),
        patch_kji=(128, 128, 128),
        features=(32, 64, 128, 256, 320, 320),
        last_stride_kji=(2, 2, 2),
        classes=3,
        source="spacing: MIC-DKFZ/nnUNet issue 230; patch and features: nnU-Net's defaults for isotropic voxels",
    ),
    "totalsegmentator-fast": Plan(
        title="TotalSegmentator --fast: plain, 3 mm",
        spacing_kji_mm=(3.0, 3.0, 3.0),
        patch_kji=(112, 112, 128),
        features=(32, 64, 128, 256, 320),
        last_stride_kji=(2, 2, 2),
        classes=118,
        source="spacing and step: wasserth/TotalSegmentator; patch and stages: its plans as other readers quote them; "
        "16.6 million weights with their momenta are 133 MB, its download has 135",
    ),
}


def resampled_shape(shape: Sequence[int], spacing_mm: Sequence[float], plan: Plan) -> tuple[int, ...]:
    """Return a CT's shape at a plan's spacing, as nnU-Net rounds it.

    Args:
        shape: of the CT, slices first.
        spacing_mm: of the CT.
        plan: of the network.
    """
    sizes = zip(shape, spacing_mm, plan.spacing_kji_mm, strict=True)
    return tuple(round(count * have / wanted) for count, have, wanted in sizes)


def count_patches(shape: Sequence[int], plan: Plan) -> int:
    """Return how many patches nnU-Net's sliding window takes; what is smaller than a patch is padded to it.

    Args:
        shape: at the plan's spacing.
        plan: of the network.
    """
    sizes = zip(shape, plan.patch_kji, strict=True)
    return math.prod(max(math.ceil((count - patch) / (patch * plan.step)), 0) + 1 for count, patch in sizes)


def nnunet_pass(plan: Plan) -> Callable[[], object]:
    """Build a network with random weights; needs ``dynamic_network_architectures`` on the path.

    Args:
        plan: of the network.

    Returns:
        Runs one patch in float32, as nnU-Net does on a CPU.
    """
    import torch
    from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet

    stages = len(plan.features)
    convolutions = {"n_blocks_per_stage": plan.blocks} if plan.blocks else {"n_conv_per_stage": 2}
    network = (ResidualEncoderUNet if plan.blocks else PlainConvUNet)(
        input_channels=1,
        n_stages=stages,
        features_per_stage=plan.features,
        conv_op=torch.nn.Conv3d,
        kernel_sizes=3,
        strides=[(1, 1, 1), *[(2, 2, 2)] * (stages - 2), plan.last_stride_kji],
        num_classes=plan.classes,
        n_conv_per_stage_decoder=1 if plan.blocks else 2,
        conv_bias=True,
        norm_op=torch.nn.InstanceNorm3d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=torch.nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
        **convolutions,
    ).eval()
    patch = torch.randn(1, 1, *plan.patch_kji)
    return torch.inference_mode()(lambda: network(patch))


def unet_pass(folder: Path, ct: Path, slices: int) -> Callable[[], object]:
    """Load the public U-Net.

    Args:
        folder: holds the model.
        ct: a CT file.
        slices: how many of its slices, evenly spaced, are taken in turn.

    Returns:
        Runs the next slice, its preparation included, in OpenVINO's own number format.
    """
    import cv2

    from seru.io.images import read_volume
    from seru.model.engines.quiet_openvino import openvino
    from seru.orientation import AxialStack

    hu = AxialStack.of(read_volume(ct)).hu
    chosen = [hu[index] for index in np.linspace(0, len(hu) - 1, slices).round().astype(int)]
    low, high = _UNET_WINDOW_HU
    core = openvino.Core()
    network = core.read_model(folder / UNET_MODEL)
    request = core.compile_model(network, "CPU", {"PERFORMANCE_HINT": "LATENCY"}).create_infer_request()
    shape = [int(size) for size in network.input(0).shape]

    def run() -> object:
        image = chosen[0]
        chosen.append(chosen.pop(0))
        image = cv2.resize(np.asarray(image, np.float32), (_UNET_SIDE, _UNET_SIDE))
        image = (np.clip(image, low, high) - low) / (high - low) * 255
        return request.infer({0: np.ascontiguousarray(image.T, np.float32).reshape(shape)})

    return run


def time_passes(run: Callable[[], object], passes: int) -> dict[str, float]:
    """Time passes after a first one that does not count.

    Args:
        run: one pass.
        passes: how many.

    Returns:
        Wall-clock and processor seconds of a pass.
    """
    run()
    start, busy = time.perf_counter(), time.process_time()
    for _ in range(passes):
        run()
    return {"seconds": (time.perf_counter() - start) / passes, "cpu_seconds": (time.process_time() - busy) / passes}


def main() -> int:
    """Time one network and print a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=[UNET, *PLANS])
    parser.add_argument("--passes", type=int, required=True)
    parser.add_argument("--ct", type=Path)
    parser.add_argument("--folder", type=Path, help="of the public U-Net")
    arguments = parser.parse_args()
    if arguments.network == UNET:
        run = unet_pass(arguments.folder, arguments.ct, arguments.passes)
    else:
        run = nnunet_pass(PLANS[arguments.network])
    print(json.dumps(time_passes(run, arguments.passes)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
