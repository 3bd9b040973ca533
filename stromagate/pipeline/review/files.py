"""FCS files of a run found again by their content: a run keeps names and hashes, never places."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from stromagate.errors import InputError, StromagateError
from stromagate.fcs import find_inputs, hash_file

HOW_TO_NAME = "name the folder where the FCS files lie, unchanged since the run: stromagate review DIR --files FOLDER"

_Seen = tuple[str, int, int]
"""A file as it was when it was hashed: where it really lies, its size, and when it was last written (nanoseconds)."""


class FileFinder:
    """Finds FCS files by the SHA-256 of their content; names only say which to look at first.

    Beside the folders that were named, a file is looked for where the run's sheet would have it if the run was started
    in the folder of the sheet: by its shown path below the present folder, and below the one that holds the results.

    Parameters
    ----------
    run_folder : path
        The run.
    folders : sequence of path
        FCS files, or folders that are searched with everything below them.

    Raises
    ------
    InputError
        A folder that was named is not there, or holds no FCS file.
    """

    def __init__(self, run_folder: Path, folders: Sequence[Path] = ()) -> None:
        self._run, self._folders = Path(run_folder), tuple(map(Path, folders))
        self._hashes: dict[_Seen, str] = {}
        self._places: dict[str, Path] = {}
        self._lock = threading.Lock()
        if self._folders:
            find_inputs(self._folders)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders that the user named."""
        return self._folders

    def find(self, sha256: str, name: str, n_bytes: int | None = None) -> Path | None:
        """Return the file with this content.

        Parameters
        ----------
        sha256 : str
            64 hexadecimal digits. Empty where nobody knows the content (the tube failed): the first file of that name.
        name : str
            Path that the run shows. Files of that name are looked at first, then all others.
        n_bytes : int, optional
            Its size; files of another size need not be read.

        Returns
        -------
        Path or None
            None where it is not at hand.
        """
        with self._lock:
            last = self._places.get(sha256)
            if last is not None and self._sha256(last, n_bytes) == sha256:
                return last
            for path in self._candidates(name):
                if not sha256:
                    return path if path.name == PurePosixPath(name).name else None
                if self._sha256(path, n_bytes) == sha256:
                    self._places[sha256] = path
                    return path
        return None

    def found(self, sha256: str, name: str, where: str, n_bytes: int | None = None) -> Path:
        """Return the file with this content.

        Parameters
        ----------
        sha256, name, n_bytes
            As for `find`.
        where : str
            Tube that the file is of.

        Raises
        ------
        InputError
            It is not at hand.
        """
        path = self.find(sha256, name, n_bytes)
        if path is None:
            looked = ", ".join(each.name or str(each) for each in self._folders)
            raise InputError(
                "review.no_file",
                f"its file {name} (SHA-256 {sha256[:12]}) is not at hand"
                + (f"; looked for in {looked}" if looked else ""),
                where=where,
                hint=HOW_TO_NAME,
            )
        return path

    def _candidates(self, name: str) -> Iterator[Path]:
        """Yield the files that may be meant, those of the same name first."""
        shown = PurePosixPath(name)
        if name and not shown.is_absolute() and ".." not in shown.parts:
            for base in dict.fromkeys((Path.cwd(), self._run.resolve().parent, self._run.resolve().parent.parent)):
                if (base / shown).is_file():
                    yield base / shown
        if self._folders:
            try:
                inputs = find_inputs(self._folders)
            except StromagateError:  # a disk that was taken away meanwhile
                return
            yield from sorted(inputs, key=lambda path: path.name != shown.name)

    def _sha256(self, path: Path, n_bytes: int | None) -> str | None:
        """Return the hash of a file's content, made once for as long as the file stays as it is."""
        try:
            state = path.stat()
            if n_bytes is not None and state.st_size != n_bytes:
                return None
            seen = (os.path.realpath(path), state.st_size, state.st_mtime_ns)
            if seen not in self._hashes:
                self._hashes[seen] = hash_file(path)
        except (OSError, StromagateError):  # one that cannot be read is not the one that is looked for
            return None
        return self._hashes[seen]
