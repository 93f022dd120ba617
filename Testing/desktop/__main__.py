"""Open the desktop: ``python -m Testing.desktop [MODULE.py] [--volume FILE] [--screenshot OUT.png]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from Testing.desktop.desktop import desktop, has_screen


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m Testing.desktop", description=__doc__)
    parser.add_argument("module", nargs="?", help="a scripted module's .py file")
    parser.add_argument("--module", dest="module_option", help="the same, as an option")
    parser.add_argument("--volume", type=Path, help="a volume to load first")
    parser.add_argument("--segmentation", type=Path, help="a segmentation to load first")
    parser.add_argument("--screenshot", type=Path, help="write a picture of the window and leave")
    parser.add_argument("--panel", type=Path, help="write a picture of the module's panel and leave")
    parser.add_argument("--scale", type=float, default=1.0, help="device pixels per pixel of the pictures")
    parser.add_argument("--size", default="1280x800", help="WIDTHxHEIGHT of the window")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit code: 1 where a window was asked for and there is no screen, or the module raised.
    """
    options = _parse(arguments)
    is_picture = bool(options.screenshot or options.panel)
    if not is_picture and not has_screen():
        print("There is no screen here: give --screenshot OUT.png to get a picture instead.", file=sys.stderr)
        return 1
    width, height = (int(part) for part in options.size.split("x"))
    here = desktop(is_interactive=not is_picture, scale=options.scale, size=(width, height))
    if options.volume:
        here.load_volume(options.volume)
    if options.segmentation:
        import slicer

        slicer.util.loadSegmentation(str(options.segmentation))
    module = options.module_option or options.module
    if module:
        here.load_module(module)
    if not is_picture:
        code = here.app.exec()
        here.close()
        return code
    if options.screenshot:
        here.grab(options.screenshot)
    if options.panel:
        here.grab_panel(options.panel)
    code = 1 if here.errors else 0
    here.close()
    return code


if __name__ == "__main__":
    sys.exit(main())
