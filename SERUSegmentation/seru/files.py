"""Files that appear whole or not at all, alone or several together, and what of killed runs is cleared away."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from seru.errors import BadInputError

try:
    import fcntl
except ImportError:  # Windows, where nobody removes a file that is open
    fcntl = None  # type: ignore[assignment]

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
PREFIX, PART = ".seru-", ".part"
# Older ones are nobody's, whatever the share says about locks and wherever they come from.
_LEFT_BEHIND_S = 24 * 3600.0

Opener = Callable[[Path], AbstractContextManager[BinaryIO]]
"""Opens a new file that takes the place of a path: :func:`replacing`, or a group's :meth:`FileGroup.open`."""

_alive: set[_NewFile] = set()
_in_place = threading.RLock()


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the place of ``path`` once it is whole.

    The temporary file lies in the same folder. It is removed on every failure, and on cancelling. A link at ``path`` is
    replaced, and what it points to stays as it is.

    Args:
        path: of the file to write; an older file stays until the new one is whole.

    Yields:
        The temporary file, binary, writable and seekable.

    Raises:
        BadInputError: the folder is missing or not writable, or the disk is full.
    """
    with FileGroup() as group, group.open(path) as file:
        yield file


class FileGroup:
    """Files that take their places together, once all of them are whole; until then nothing changes.

    Where anything fails, or the run is cancelled, no new file and no new folder is left.
    """

    def __init__(self) -> None:
        self._files: list[_NewFile] = []
        self._folders: list[Path] = []
        self._obsolete: list[Path] = []

    @contextmanager
    def open(self, path: Path) -> Iterator[BinaryIO]:
        """Open a file of the group; files take their places in the order in which they were opened.

        Args:
            path: of the file.

        Yields:
            As :func:`replacing`.

        Raises:
            BadInputError: it cannot be written.
        """
        path = Path(path)
        try:
            new = _NewFile(path)
            self._files.append(new)
            yield new.file
            new.close()
        except OSError as error:
            raise BadInputError(write_failure(path, error)) from error

    def make_folder(self, folder: Path) -> None:
        """Make a folder and those above it, where they are missing.

        Args:
            folder: to write to; gone again where the group fails.

        Raises:
            BadInputError: it cannot be made.
        """
        missing = [place for place in (folder, *folder.parents) if not place.is_dir()]
        for place in reversed(missing):
            try:
                place.mkdir(exist_ok=True)
            except OSError as error:
                raise BadInputError(write_failure(place / "file", error)) from error
            self._folders.append(place)

    def remove(self, path: Path) -> None:
        """Remove an older file once the group is whole, before the first file takes its place.

        Args:
            path: of the file; it may be missing.
        """
        self._obsolete.append(path)

    def __enter__(self) -> FileGroup:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_whole = False
        try:
            if kind is None:
                with _in_place:
                    self._put_in_place()
                is_whole = True
        finally:
            for new in self._files:
                new.discard()
            if not is_whole:
                for folder in reversed(self._folders):
                    with suppress(OSError):
                        folder.rmdir()

    def _put_in_place(self) -> None:
        aside: dict[Path, Path] = {}
        placed: list[Path] = []
        try:
            for path in self._obsolete:
                with suppress(FileNotFoundError):
                    os.replace(path, temporary := _temporary_beside(path))
                    aside[path] = temporary
            for new in self._files:
                if not os.path.lexists(new.path):
                    placed.append(new.path)
                new.put_in_place()
        except BaseException:
            for path in placed:
                with suppress(OSError):
                    path.unlink()
            for path, temporary in aside.items():
                with suppress(OSError):
                    os.replace(temporary, path)
            raise
        for temporary in aside.values():
            with suppress(OSError):
                temporary.unlink()


class _NewFile:
    """A temporary file, locked as long as it is ours: see :func:`clear_parts`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None
        while True:
            self._temporary: Path | None = _temporary_beside(path)
            # The umask gives the permissions: some shares refuse to change them later.
            self.file: BinaryIO = open(self._temporary, "x+b")  # noqa: SIM115 - see close and discard
            _alive.add(self)
            if self._is_locked():
                return
            self.discard()  # another run has just cleared it away

    def _is_locked(self) -> bool:
        """Lock the file for as long as this process lives; tell whether it is still there then."""
        if fcntl is None or self._temporary is None:
            return True
        self._lock = os.dup(self.file.fileno())
        with suppress(OSError):  # a share without locks
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        return self._temporary.exists()

    def close(self) -> None:
        """Write what is still in memory; a full disk may say so only now."""
        self.file.close()

    def put_in_place(self) -> None:
        """Take the place of the older file.

        Raises:
            BadInputError: the system refuses it.
        """
        if self._temporary is not None:
            try:
                os.replace(self._temporary, self.path)
            except OSError as error:
                raise BadInputError(write_failure(self.path, error)) from error
            self._temporary = None

    def discard(self) -> None:
        """Remove what has not taken its place."""
        with suppress(OSError, ValueError):
            self.file.close()
        if self._temporary is not None:
            with suppress(OSError):
                self._temporary.unlink()
            self._temporary = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        _alive.discard(self)


@contextmanager
def probing_folder(parent: Path) -> Iterator[Path]:
    """Make an empty folder, locked as long as it is ours (see :func:`clear_parts`), and remove it in the end.

    Args:
        parent: folder that it is made in.

    Yields:
        The folder.

    Raises:
        OSError: it cannot be made.
    """
    while True:
        folder = _temporary_beside(parent / "any")
        folder.mkdir()
        lock = None if fcntl is None else _locked(folder)
        try:
            if folder.is_dir():  # no other run has just cleared it away
                yield folder
                return
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)


def _locked(folder: Path) -> int | None:
    with suppress(OSError):  # another run has just cleared it away, or a share without locks
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            os.close(handle)
            raise
        return handle
    return None


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keep a folder for one run, so that no two mix their results in it; nothing is written for that.

    Where folders cannot be locked (Windows, some shares) nobody is kept out.

    Args:
        folder: exists.

    Raises:
        BadInputError: another run has claimed it, on this computer, and still lives.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            text = f"Another run is writing its results to '{folder}'; wait for its end or choose another folder."
            raise BadInputError(text) from error
        except OSError:  # a share without locks
            pass
        yield
    finally:
        os.close(handle)


def discard_new_files() -> None:
    """Remove every file that has not taken its place: for a process that is about to end where it stands."""
    if _in_place.acquire(timeout=1.0):  # never half of a group
        for new in tuple(_alive):
            new.discard()


def clear_parts(folder: Path) -> None:
    """Remove the temporary files that killed runs left in a folder; those of running ones stay.

    Of this computer's, files and folders, one is nobody's once its lock is free. Others may be locked where that cannot
    be seen, so only old ones go.

    Args:
        folder: that is about to be written to.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.name.endswith(PART):
                with suppress(OSError):
                    _clear_part(entry)


def _clear_part(entry: os.DirEntry[str]) -> None:
    is_old = time.time() - entry.stat(follow_symlinks=False).st_mtime > _LEFT_BEHIND_S
    is_ours = entry.name.startswith(f"{PREFIX}{_host()}-")
    if not (is_old or is_ours):
        return
    if entry.is_dir(follow_symlinks=False):
        _clear_folder(entry.path, is_old)
        return
    if not entry.is_file(follow_symlinks=False):
        return
    if fcntl is None:
        os.unlink(entry.path)
        return
    with open(entry.path, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(entry.path)


def _clear_folder(folder: str, is_old: bool) -> None:
    if is_old:
        shutil.rmtree(folder, ignore_errors=True)
    if is_old or fcntl is None:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def write_text(path: Path, text: str, opener: Opener = replacing) -> None:
    """Write a text file, whole or not at all.

    Args:
        path: of the file.
        text: written as UTF-8; of a file name that is not UTF-8 each strange byte is written as ``\\udcXX``, which JSON
            reads back as it was.
        opener: of a group of files.

    Raises:
        BadInputError: it cannot be written.
    """
    with opener(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def write_failure(path: Path, error: OSError) -> str:
    """Return one sentence that says why a file could not be written.

    Args:
        path: of the file.
        error: what the system raised.

    Returns:
        The sentence; nothing is left at ``path``.
    """
    if error.errno in _NO_ROOM:
        return f"The disk is full: '{path}' was not written; free some space or choose another folder."
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"The folder '{path.parent}' does not exist; make it first or choose another one."
    if isinstance(error, IsADirectoryError):
        return f"'{path}' is a folder; give the name of a file."
    return f"'{path}' cannot be written ({error.strerror or error}); choose another folder."


def _temporary_beside(path: Path) -> Path:
    # The name is short and plain: the file's own may be as long as the file system allows.
    return path.parent / f"{PREFIX}{_host()}-{os.urandom(4).hex()}{PART}"


def _host() -> str:
    return f"{zlib.crc32(platform.node().encode('utf-8', 'replace')):08x}"
