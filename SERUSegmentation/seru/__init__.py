"""SERU: coarse-to-fine kidney and kidney-tumor segmentation in CT.

The public functions are here; each is loaded with what it needs when it is first asked for, so that importing the
package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "PhantomOptions",
    "Volume",
    "find_model",
    "make_phantom",
    "open_model",
    "read_volume",
    "segment",
    "write_labels",
    "write_volume",
]

_MODULES = {
    "PhantomOptions": "seru.phantom",
    "Volume": "seru.volume",
    "find_model": "seru.model.store",
    "make_phantom": "seru.phantom",
    "open_model": "seru.model.store",
    "read_volume": "seru.io.images",
    "segment": "seru.cascade.cascade",
    "write_labels": "seru.io.images",
    "write_volume": "seru.io.images",
}

if TYPE_CHECKING:
    from seru.cascade.cascade import segment
    from seru.io.images import read_volume, write_labels, write_volume
    from seru.model.store import find_model, open_model
    from seru.phantom import PhantomOptions, make_phantom
    from seru.volume import Volume
else:

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
