"""The recipe on a few small phantoms, a few optimiser steps a stage."""

from __future__ import annotations

from Testing import REPOSITORY

CONFIG = REPOSITORY / "training" / "configs" / "tiny.yaml"

SMALL_PHANTOMS = (
    "data.phantom.patients=4",
    "data.phantom.shape_kji=[16, 64, 64]",
    "data.phantom.spacing_kji_mm=[14.0, 6.0, 6.0]",
    "data.phantom.voxel_scale=[1, 1]",
    "split.validation_share=0.25",
    "network.coarse_size=null",
    "network.crop_size=32",
    "network.in_plane_spacing_mm=null",
    "train.batch_size=8",
    "train.slices_per_epoch=24",
    "train.warmup_steps=0",
    "alpha.count=3",
    "export.quantise=false",
)
"""Changes of the config under which a network learns too little to find anything."""
