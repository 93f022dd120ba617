"""The command that opens a case in 3D Slicer: for a terminal, with names of whatever kind."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from seru.io.dicom_zip import ZIP_ENDING

_DICOM = """\
from DICOMLib import DICOMUtils
with DICOMUtils.TemporaryDICOMDatabase() as database:
    DICOMUtils.importDicom({path!a}, database)
    for patient in database.patients(): DICOMUtils.loadPatientByUID(patient)
"""


def slicer_command(ct: Path, labels: Path, is_windows: bool = os.name == "nt") -> str:
    """Return a line for a terminal.

    Args:
        ct: file, DICOM folder or zip; a zip is not opened, the labels alone are.
        labels: of the case.
        is_windows: quote for its terminal, not for those of other systems.

    Returns:
        The line, of printable ASCII characters; its last one ends the quoted Python code.
    """
    lines = []
    if ct.is_dir():
        # A compound statement fits on no line with others.
        lines.append(f"exec({_DICOM.format(path=os.path.abspath(ct))!a})")
    elif ct.suffix.lower() != ZIP_ENDING:
        lines.append(f"slicer.util.loadVolume({os.path.abspath(ct)!a})")
    # Slicer reads a segmentation from every format of ours but this one.
    load = "loadLabelVolume" if labels.suffix == ".mha" else "loadSegmentation"
    lines.append(f"slicer.util.{load}({os.path.abspath(labels)!a})")
    # They stand in texts of Python alone, and some terminals replace them within quotes too.
    code = "".join(f"\\x{ord(sign):02x}" if sign in "$%`!" else sign for sign in "; ".join(lines))
    words = ["Slicer", "--python-code", code]
    return subprocess.list2cmdline(words) if is_windows else shlex.join(words)
