"""Stand-in for the SampleData module: sources are registered, and loaded where no download is needed.

Left out: its panel, its own data sets, downloads.

Source: Modules/Scripted/SampleData/SampleData.py of Slicer/Slicer (behaviour, not text).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

import slicer


@dataclass
class SampleDataSource:
    """One set of sample data."""

    sampleName: str | None = None
    uris: Any = None
    fileNames: Any = None
    nodeNames: Any = None
    customDownloader: Any = None
    thumbnailFileName: str | None = None
    loadFileTypes: Any = None
    loadFiles: Any = None
    loadFileProperties: Any = None
    checksums: Any = None
    loadFileType: Any = None
    sampleDescription: str | None = None

    def __post_init__(self) -> None:
        """Make lists of single values, and refuse lists of different lengths as SampleData does."""
        for name in ("uris", "fileNames", "nodeNames", "checksums"):
            value = getattr(self, name)
            if not isinstance(value, list | tuple):
                setattr(self, name, [value])
        if len({len(self.uris), len(self.fileNames), len(self.nodeNames), len(self.checksums)}) != 1:
            raise ValueError("All fields of sample data source must have the same length")


class SampleDataLogic:
    """Registers sample data and gets it."""

    @staticmethod
    def registerCustomSampleDataCategory(category: str, title: str) -> None:
        """Give a category its title."""
        if not hasattr(slicer.modules, "sampleDataSourceCategories"):
            slicer.modules.sampleDataSourceCategories = {}
        slicer.modules.sampleDataSourceCategories.setdefault(category, {})["title"] = title

    @staticmethod
    def registerCustomSampleDataSource(category: str = "Custom", sampleName: str | None = None, **fields: Any) -> None:
        """Add a set of sample data, once."""
        if not hasattr(slicer.modules, "sampleDataSources"):
            slicer.modules.sampleDataSources = {}
        sources = slicer.modules.sampleDataSources.setdefault(category, [])
        source = SampleDataSource(sampleName=sampleName, **fields)
        if source not in sources:
            sources.append(source)

    @staticmethod
    def sourceForSampleName(name: str) -> SampleDataSource | None:
        """Return the source of that name, or None."""
        sources = getattr(slicer.modules, "sampleDataSources", {}).values()
        return next((s for group in sources for s in group if s.sampleName == name), None)

    @staticmethod
    def registerUrlRewriteRule(name: str, rewriteFunction: Callable[[str], str]) -> None:
        """Let a function replace addresses before they are asked for."""
        if not hasattr(slicer.modules, "sampleDataUrlRewriteRules"):
            slicer.modules.sampleDataUrlRewriteRules = {}
        slicer.modules.sampleDataUrlRewriteRules[name] = rewriteFunction

    def downloadFromSource(self, source: SampleDataSource) -> list[Any]:
        """Return the nodes of a source, loaded from local files; as in Slicer, its own function is the panel's alone.

        Raises:
            RuntimeError: the source is on the network.
        """
        return [self._load(uri, name) for uri, name in zip(source.uris, source.nodeNames, strict=True)]

    @staticmethod
    def _load(uri: str, name: str | None) -> Any:
        for rewrite in getattr(slicer.modules, "sampleDataUrlRewriteRules", {}).values():
            uri = rewrite(uri)
        if urlparse(uri).scheme != "file":
            raise RuntimeError(f"the headless desktop downloads nothing: {uri}")
        node = slicer.util.loadNodeFromFile(Path(url2pathname(urlparse(uri).path)))
        if name:
            node.SetName(name)
        return node

    def downloadSamples(self, sampleName: str) -> list[Any]:
        """Return the nodes of the source of that name."""
        source = self.sourceForSampleName(sampleName)
        if source is None:
            raise KeyError(f"Sample name '{sampleName}' not found")
        return self.downloadFromSource(source)

    def downloadSample(self, sampleName: str) -> Any:
        """Return the first node of the source of that name."""
        return self.downloadSamples(sampleName)[0]


def downloadSample(sampleName: str) -> Any:
    """Return the first node of the source of that name."""
    return SampleDataLogic().downloadSample(sampleName)
