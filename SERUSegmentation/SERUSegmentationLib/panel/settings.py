"""What a user prefers on this computer, kept in Slicer's settings and not in the scene."""

from __future__ import annotations

import json
from typing import Any

import slicer

_GROUP = "SERUSegmentation"


def readSetting(name: str, default: Any) -> Any:
    """Return a preference.

    Args:
        name: of the preference.
        default: where there is none, or it cannot be read.

    Returns:
        A JSON value.
    """
    try:
        return json.loads(slicer.app.userSettings().value(f"{_GROUP}/{name}"))
    except (TypeError, ValueError):
        return default


def writeSetting(name: str, value: Any) -> None:
    """Keep a preference.

    Args:
        name: of the preference.
        value: JSON-ready. As text it reads back alike on every system and Qt.
    """
    slicer.app.userSettings().setValue(f"{_GROUP}/{name}", json.dumps(value))
