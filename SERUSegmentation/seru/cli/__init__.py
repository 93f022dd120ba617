"""The command ``seru``: thin files, one for each subcommand."""

from seru.cli.main import main

__all__ = ["main"]
