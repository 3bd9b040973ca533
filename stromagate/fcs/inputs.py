"""Which files a user means by files and folders, and the hash that identifies each."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from stromagate.errors import InputError
from stromagate.fcs.source import opened

RESULTS_MARKER = ".stromagate"
"""The file by which a folder of results is known."""
_SUFFIXES = {".fcs", ".lmd"}
_CHUNK_BYTES = 2**20


def find_inputs(paths: Sequence[Path]) -> list[Path]:
    """Return the files meant by ``paths``: files as given, folders searched for ``.fcs`` and ``.lmd``.

    Parameters
    ----------
    paths : sequence of path
        Files and folders. Folders are searched with everything below them, in any letter case; symbolic links to
        folders, the ``._*`` companions that macOS leaves on shares, and folders of results below (what a run wrote
        there are no tubes of the next one) are passed over. A broken link or a pipe of such a name is found: reading
        refuses it by name, where leaving it out would be silent.

    Returns
    -------
    list of Path
        Sorted, each once, by whatever paths and links it was reached.

    Raises
    ------
    InputError
        A path does not exist or is neither a file nor a folder (``file.missing``, ``file.not_regular``), or nothing
        was found (``file.missing``).
    """
    found: set[Path] = set()
    for path in map(Path, paths):
        mode = _mode(path)
        if stat.S_ISDIR(mode):
            found.update(_inside(path))
        elif stat.S_ISREG(mode):
            found.add(path)
        else:
            raise InputError(
                "file.not_regular", "this is neither a file nor a folder", where=str(path), hint="give an FCS file"
            )
    if not found:
        raise InputError(
            "file.missing",
            "no FCS file was found",
            where=", ".join(map(str, paths)) or None,
            hint="folders are searched for names that end in .fcs or .lmd; folders of results below are passed over",
        )
    once: dict[str, Path] = {}
    for path in sorted(found):
        once.setdefault(os.path.realpath(path), path)
    return list(once.values())


def hash_file(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits.

    Raises
    ------
    InputError
        The file is missing, is no regular file, cannot be read, or changed meanwhile.
    """
    import hashlib  # here, so that counting a known tree does not pay for it

    digest = hashlib.sha256()
    with opened(path) as source:
        buffer = memoryview(bytearray(min(_CHUNK_BYTES, source.size)))
        for begin in range(0, source.size, _CHUNK_BYTES):
            chunk = buffer[: min(_CHUNK_BYTES, source.size - begin)]
            source.into(begin, chunk)
            digest.update(chunk)
        source.require_unchanged(source.fingerprint)
    return digest.hexdigest()


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as cause:
        raise InputError(
            "file.missing", "there is no such file or folder", where=str(path), hint="check the path"
        ) from (cause)
    except OSError as cause:
        raise InputError(
            "file.unreadable", f"cannot be looked at: {cause.strerror}", where=str(path), hint="check its permissions"
        ) from cause


def _inside(folder: Path) -> Iterator[Path]:
    def refuse(cause: OSError) -> None:
        raise InputError(
            "file.unreadable",
            f"the folder cannot be read: {cause.strerror}",
            where=str(cause.filename),
            hint="check it",
        ) from cause

    for parent, folders, names in os.walk(folder, onerror=refuse):
        if RESULTS_MARKER in names and Path(parent) != folder:
            folders.clear()
            continue
        for name in names:
            path = Path(parent, name)
            if path.suffix.lower() in _SUFFIXES and not name.startswith("._"):
                yield path
