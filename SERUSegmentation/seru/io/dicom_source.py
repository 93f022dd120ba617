"""The headers of a DICOM CT, for what is written to refer to it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seru.errors import BadInputError
from seru.grid import Lattice
from seru.packages import require_optional
from seru.volume import SliceFile

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# What every DICOM object must carry of its patient and study, and may carry empty.
_REQUIRED = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
# What tells of patient and study besides, and that the images were de-identified.
_COPIED = (
    *_REQUIRED,
    "SpecificCharacterSet",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "IssuerOfPatientID",
    "StudyDescription",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
    "ClinicalTrialSponsorName",
    "ClinicalTrialProtocolID",
    "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID",
    "ClinicalTrialSiteName",
    "ClinicalTrialSubjectID",
    "ClinicalTrialTimePointID",
    "ClinicalTrialTimePointDescription",
)
_IDENTITY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_READ = (*_COPIED, *_IDENTITY, "Modality", "Rows", "Columns", "LossyImageCompression", "InstanceNumber")


@dataclass(frozen=True, eq=False)
class SourceHeaders:
    """The headers of a CT's slices, in the order of the planes along k."""

    slices: tuple[Dataset, ...]

    @classmethod
    def read(cls, files: Sequence[SliceFile]) -> SourceHeaders:
        """Read the headers.

        Args:
            files: of the slices, in the order of the planes along k.

        Returns:
            The headers.

        Raises:
            BadInputError: a file is no longer there, or the headers do not identify the images.
        """
        from pydicom import dcmread
        from pydicom.errors import InvalidDicomError

        slices = []
        for file in files:
            try:
                with quiet(), file.open() as stream:
                    slices.append(dcmread(stream, stop_before_pixels=True, specific_tags=list(_READ), force=True))
            except (OSError, InvalidDicomError) as error:
                raise BadInputError(f"The DICOM file '{file}' cannot be read any more; copy it again.") from error
        _check_identity(slices)
        return cls(tuple(slices))

    def plane(self, k: int, lattice: Lattice) -> Dataset:
        """Return what a DICOM object needs to know of a plane, its place by our lattice.

        Args:
            k: index of the plane.
            lattice: of the CT's slices.

        Returns:
            The image's identity and place; patient and study are left empty, for :meth:`copy_patient_to`.
        """
        from pydicom.dataset import Dataset

        source, image = self.slices[int(k)], Dataset()
        for name in _IDENTITY:
            setattr(image, name, str(source[name].value))
        for name in _REQUIRED:
            setattr(image, name, "")
        matrix = lattice.ijk_to_lps
        i_mm, j_mm, _ = lattice.spacing_ijk_mm
        directions = matrix[:3, :2] / (i_mm, j_mm)
        image.ImageOrientationPatient = _texts(directions.T.ravel())
        image.ImagePositionPatient = _texts(matrix[:3, 3] + k * matrix[:3, 2])
        image.PixelSpacing = _texts((j_mm, i_mm))
        image.SliceThickness = _texts((lattice.distance_mm,))[0]
        image.Rows, image.Columns = lattice.shape_kji[1:]
        image.Modality = "CT"
        if source.get("LossyImageCompression") == "01":
            image.LossyImageCompression = "01"
        return image

    def copy_patient_to(self, made: Dataset) -> None:
        """Give an object the patient and the study of the CT, as they are written there and nothing else.

        Args:
            made: changed in place.
        """
        source = self.slices[0]
        for name in _COPIED:
            if name in source:
                made[name] = source[name]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what pydicom says of odd values of the CT from the user: they are copied as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def require_highdicom() -> None:
    """Check that highdicom is there.

    Raises:
        BadInputError: it is not, with how to get it.
    """
    require_optional("highdicom", "highdicom", "Writing DICOM")


def _check_identity(slices: Sequence[Dataset]) -> None:
    for name in _IDENTITY:
        if not all(str(item.get(name) or "") for item in slices):
            raise BadInputError(
                f"The CT's headers lack {name}, without which no DICOM result can refer to them; "
                "give .seg.nrrd or .nii.gz, or export the series again."
            )
    if len({item.SOPInstanceUID for item in slices}) < len(slices):
        raise BadInputError(
            "Images of the CT share their SOP instance UID, so no DICOM result can refer to them; "
            "give .seg.nrrd or .nii.gz, or export the series again."
        )


def _texts(numbers: Sequence[float] | np.ndarray) -> list[str]:
    """Numbers as decimal strings, of 16 characters at most."""
    from pydicom.valuerep import format_number_as_ds

    return [format_number_as_ds(float(number) + 0.0) for number in numbers]
