"""What the segmentation needs in Slicer's Python, and installing it after one question.

PyTorch comes through the PyTorch extension, which knows the graphics card; the rest through Slicer's own installer.
Nothing here imports a package to see whether it is there: their metadata is enough.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import slicer

from seru.errors import SeruError
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from packaging.requirements import Requirement

TORCH_REQUIREMENT = ">=2.2"
OPENVINO_REQUIREMENT = "openvino>=2025.0,<2027"
# Download sizes in MB, as of the versions of 2026; PyTorch's depends on the graphics card.
_SIZES_MB = {"opencv-python-headless": 60, "safetensors": 1, "platformdirs": 1, "scikit-image": 25, "tqdm": 1}
_SLICERS_OWN = ("numpy", "scipy", "SimpleITK", "vtk", "requests")


class InstallError(SeruError):
    """Something could not be installed.

    Attributes:
        restartRequired: Slicer has to be started anew before trying again.
    """

    def __init__(self, message: str, restartRequired: bool = False) -> None:
        super().__init__(message)
        self.restartRequired = restartRequired


@dataclass(frozen=True)
class Missing:
    """What is not installed yet.

    Attributes:
        torch: PyTorch is missing.
        packages: requirements beside it, as pip takes them.
    """

    torch: bool
    packages: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.torch or bool(self.packages)

    def question(self) -> str:
        """Return the one question that names packages and sizes."""
        parts = [f"{package} ({_('about {size} MB').format(size=_size(package))})" for package in self.packages]
        if self.torch:
            parts.insert(0, "PyTorch ({})".format(_("200 MB for the CPU, up to 3 GB for an NVIDIA GPU")))
        return _(
            "The segmentation needs packages that are not in Slicer yet:\n\n{packages}\n\n"
            "Download and install them into Slicer's Python now? This takes some minutes."
        ).format(packages="\n".join(f"  \u2022 {part}" for part in parts))


def findMissing(requirementsFile: Path) -> Missing:
    """Return what is missing.

    Args:
        requirementsFile: ``Resources/requirements.txt``.

    Returns:
        Possibly nothing; the object is then false.
    """
    packages = [line for line in readRequirements(requirementsFile) if not isSatisfied(line)]
    return Missing(not isSatisfied(f"torch{TORCH_REQUIREMENT}"), tuple(packages))


def installMissing(missing: Missing) -> None:
    """Install what is missing; the caller has asked.

    Args:
        missing: of :func:`findMissing`.

    Raises:
        InstallError: the PyTorch extension is missing, or pip failed.
    """
    if missing.torch:
        _installTorch()
    if missing.packages:
        _installPackages(list(missing.packages))


def installOpenVino() -> None:
    """Install the fast engine for the CPU; the caller has asked.

    Without what pip would bring along: numpy comes with Slicer, and its telemetry is not wanted.

    Raises:
        InstallError: pip failed.
    """
    _installPackages(["--no-deps", OPENVINO_REQUIREMENT])


def readRequirements(path: Path) -> list[str]:
    """Return the requirements of a file, without comments and pip's options."""
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def isSatisfied(requirement: str) -> bool:
    """Return whether a requirement is installed in a version that fits."""
    parsed = _requirementClass()(requirement)
    try:
        version = importlib.metadata.version(parsed.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    # A local part ("+cpu") and a preview are what PyTorch's extension may install.
    return parsed.specifier.contains(version, prereleases=True)


def installedVersion(package: str) -> str | None:
    """Return the version of a package, or None; nothing is imported."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _requirementClass() -> type[Requirement]:
    try:
        from packaging.requirements import Requirement
    except ImportError:
        from pip._vendor.packaging.requirements import Requirement  # type: ignore[assignment]
    return Requirement


def _size(package: str) -> int:
    return _SIZES_MB.get(_requirementClass()(package).name, 5)


def _installTorch() -> None:
    try:
        import PyTorchUtils
    except ModuleNotFoundError as error:
        raise InstallError(
            _(
                "The PyTorch extension is missing; install 'PyTorch' in the Extensions Manager, restart Slicer "
                "and click Install again."
            ),
            restartRequired=True,
        ) from error
    try:
        torch = PyTorchUtils.PyTorchUtilsLogic().installTorch(
            askConfirmation=False, torchVersionRequirement=TORCH_REQUIREMENT
        )
    except Exception as error:
        raise InstallError(_("PyTorch could not be installed ({reason}).").format(reason=_reason(error))) from error
    if torch is None:
        raise InstallError(_("PyTorch was not installed; see the log of the PyTorch extension."))


def _installPackages(packages: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="SERU-") as folder:
        # What comes with Slicer stays as it is, whatever a package asks for.
        constraints = Path(folder) / "constraints.txt"
        versions = {name: installedVersion(name) for name in _SLICERS_OWN}
        constraints.write_text("\n".join(f"{name}=={version}" for name, version in versions.items() if version))
        try:
            if hasattr(slicer, "packaging") or _importPackaging():
                slicer.packaging.pip_install(packages, constraints=str(constraints), requester="SERU")
            else:  # Slicer 5.10
                slicer.util.pip_install([*packages, "-c", str(constraints)])
        except Exception as error:
            raise InstallError(
                _("The packages could not be installed ({reason}); check the network and try again.").format(
                    reason=_reason(error)
                )
            ) from error
    importlib.invalidate_caches()


def _importPackaging() -> bool:
    try:
        import slicer.packaging  # noqa: F401
    except ImportError:
        return False
    return True


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) < 200 else f"{text[:200]}..."
