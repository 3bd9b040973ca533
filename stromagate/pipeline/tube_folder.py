"""The folder of one tube's results: put in place in one step, kept up to date, taken away in one step."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from stromagate.pipeline.whole_files import cannot_write, write_file

SAMPLES = "samples"
"""The folder of a run's tubes, below that of the run."""
PARTIAL = ".partial"
"""Where folders of tubes are made, and where older ones wait to be removed."""


def write_sample(out: Path, sample_id: str, files: Mapping[str, bytes]) -> None:
    """Put a tube's folder in place in one step, over an older one.

    Raises
    ------
    OutputError
        The disk is full or the place cannot be written; an older folder of the tube is as it was.
    """
    # Of a cluster two workers may have the same tube, where the scheduler lost sight of one of them.
    final, fresh = out / SAMPLES / sample_id, out / PARTIAL / f"{sample_id}.{secrets.token_hex(4)}"
    try:
        for name, content in files.items():
            write_file(fresh / name, content)
        final.parent.mkdir(parents=True, exist_ok=True)
        if not _put(out, sample_id, fresh) and not _put(out, sample_id, fresh):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
    except OSError as cause:
        raise cannot_write(final, cause) from cause
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _put(out: Path, sample_id: str, fresh: Path) -> bool:
    """Rename a folder into its place, the older one aside; False where another worker came between."""
    final, old = out / SAMPLES / sample_id, _set_aside(out, sample_id)
    try:
        fresh.rename(final)
    except OSError:
        if not final.exists():
            if old is not None:
                old.rename(final)
            raise
        placed = False
    else:
        placed = True
    if old is not None:
        shutil.rmtree(old)
    return placed


def _set_aside(out: Path, sample_id: str) -> Path | None:
    """Take a tube's folder away in one step; None where there is none."""
    final, old = out / SAMPLES / sample_id, out / PARTIAL / f"{sample_id}.{secrets.token_hex(4)}.old"
    if not final.exists():
        return None
    old.parent.mkdir(exist_ok=True)
    try:
        return final.rename(old)
    except FileNotFoundError:  # another worker has taken it away since
        return None


def refresh_sample(out: Path, sample_id: str, files: Mapping[str, bytes]) -> None:
    """Write those files of a tube's folder that are missing or differ; the others are not touched.

    Raises
    ------
    OutputError
        The disk is full, or the place cannot be read or written: that is no fault of the tube.
    """
    for name, content in files.items():
        path = out / SAMPLES / sample_id / name
        if not _reads(path, content):
            without_print(path, content)
            write_file(path, content)


def without_print(page: Path, content: bytes) -> None:
    """Take away the PDF of a page that is about to read otherwise: it would speak of other numbers."""
    if page.suffix == ".html" and not _reads(page, content):
        try:
            page.with_suffix(".pdf").unlink(missing_ok=True)
        except OSError as cause:
            raise cannot_write(page.with_suffix(".pdf"), cause) from cause


def _reads(path: Path, content: bytes) -> bool:
    """Say whether a file holds that already; one that cannot be read does not, and is replaced if it can be."""
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def remove_sample(out: Path, sample_id: str) -> None:
    """Take away an older result of a tube that failed this time, in one step: it must not pass for this run's.

    Raises
    ------
    OutputError
        It cannot be taken away.
    """
    try:
        old = _set_aside(out, sample_id)
        if old is not None:
            shutil.rmtree(old)
    except OSError as cause:
        raise cannot_write(out / SAMPLES / sample_id, cause) from cause
