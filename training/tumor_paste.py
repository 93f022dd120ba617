"""Tumors of other patients, pasted onto kidneys."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from seru.result.fusion import KIDNEY, TUMOR

# Below, a mean grey value of kidney says nothing.
_LEAST_KIDNEY_PIXELS = 50
_GAINS = (0.6, 1.6)


@dataclass(frozen=True)
class TumorPaste:
    """How a tumor is pasted.

    Source: TumorCP (Yang et al., MICCAI 2021), of one slice; the gain is our choice.

    Attributes:
        scale: smallest and largest size, relative to the tumor's own.
        rotate_degrees: it is turned by up to this much.
    """

    scale: tuple[float, float]
    rotate_degrees: float = 180.0

    def __call__(
        self,
        image: np.ndarray,
        label: np.ndarray,
        donor_image: np.ndarray,
        donor_label: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Paste the donor's tumor with its centre on a kidney pixel.

        Its grey values are scaled as kidney is brighter or darker than the donor's: contrast phases differ.

        Args:
            image: uint8, shape (channels, rows, columns).
            label: uint8, shape (rows, columns), 0 background, 1 kidney, 2 tumor.
            donor_image: uint8, shape (channels, rows, columns) of the donor.
            donor_label: uint8, shape (rows, columns) of the donor.
            rng: decides place, size, turn and mirroring.

        Returns:
            New image and label; the given ones where there is no kidney or no tumor.
        """
        kidney = np.argwhere(label == KIDNEY)
        tumor = np.argwhere(donor_label == TUMOR)
        if not len(kidney) or not len(tumor):
            return image, label
        place = kidney[rng.integers(len(kidney))]
        move = self._move(tumor.mean(axis=0), place, rng)
        size = label.shape[::-1]
        mask = cv2.warpAffine((donor_label == TUMOR).astype(np.float32), move, size)
        # A soft rim: a hard one would give the paste away.
        share = np.where(mask > 0.5, cv2.GaussianBlur(mask, (0, 0), 1.0), 0.0)
        gain = _kidney_grey(image, label) / _kidney_grey(donor_image, donor_label)
        gain = float(np.clip(gain if np.isfinite(gain) else 1.0, *_GAINS))
        result = np.empty_like(image)
        for number, (channel, donor) in enumerate(zip(image, donor_image, strict=True)):
            moved = cv2.warpAffine(np.ascontiguousarray(donor, np.float32), move, size) * gain
            result[number] = np.clip(np.rint(channel * (1 - share) + moved * share), 0, 255)
        return result, np.where(mask > 0.5, np.uint8(TUMOR), label)

    def _move(self, centre_rc: np.ndarray, place_rc: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        low, high = np.log(self.scale)
        scale = np.exp(rng.uniform(low, high))
        angle = rng.uniform(-self.rotate_degrees, self.rotate_degrees)
        matrix = cv2.getRotationMatrix2D((0.0, 0.0), angle, scale)
        if rng.random() < 0.5:
            matrix[:, 0] *= -1
        matrix[:, 2] = place_rc[::-1] - matrix[:, :2] @ centre_rc[::-1]
        return matrix


def _kidney_grey(image: np.ndarray, label: np.ndarray) -> float:
    kidney = label == KIDNEY
    if np.count_nonzero(kidney) < _LEAST_KIDNEY_PIXELS:
        return float("nan")
    return max(1.0, float(image[image.shape[0] // 2][kidney].mean()))
