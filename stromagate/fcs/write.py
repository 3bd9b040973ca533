"""Write FCS 3.1: float32, little endian, same input same bytes, under its final name only when complete."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import OutputError, UsageError
from stromagate.fcs.compose import compose
from stromagate.fcs.limits import MAX_CHANNELS
from stromagate.fcs.numbers import shortened

_ROWS = 32_768
_USUAL_TOP = 262_144
_OURS = frozenset(
    {
        "$BEGINANALYSIS",
        "$BEGINDATA",
        "$BEGINSTEXT",
        "$BYTEORD",
        "$DATATYPE",
        "$ENDANALYSIS",
        "$ENDDATA",
        "$ENDSTEXT",
        "$MODE",
        "$NEXTDATA",
        "$PAR",
        "$TOT",
    }
)


def write_fcs(
    path: str | os.PathLike[str],
    events: NDArray[Any],
    names: Sequence[str],
    *,
    labels: Sequence[str] | None = None,
    keywords: Mapping[str, str] | None = None,
) -> None:
    """Write events as one FCS 3.1 data set.

    Parameters
    ----------
    path : path
        Final name; an existing file is replaced in one step.
    events : ndarray of real numbers, shape (n_events, n_channels)
        Stored values, written as float32; rounded where they are not float32 already.
    names : sequence of str
        ``$PnN`` of every column: unique, not empty, no commas.
    labels : sequence of str, optional
        ``$PnS``; blank ones are left out.
    keywords : mapping, optional
        Further keywords, such as ``$SPILLOVER`` or ``$P1R``. The structural ones are the writer's own.

    Raises
    ------
    UsageError
        Names, labels, keywords or events that an FCS file cannot hold.
    OutputError
        ``file.unwritable``: the file cannot be written there.
    """
    _check_events(events, names, labels)
    values = _keywords(events, names, labels, dict(keywords or {}))
    text, begin = compose("3.1", values, 4 * events.size)
    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            stream.write(text)
            stream.write(b" " * (begin - len(text)))
            for first in range(0, len(events), _ROWS):
                stream.write(np.ascontiguousarray(events[first : first + _ROWS], dtype="<f4").data)
            stream.write(b"00000000")
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)
    except OSError as cause:
        raise OutputError(
            "file.unwritable",
            f"the file cannot be written: {cause.strerror or cause}",
            where=str(target),
            hint="free space or check the folder and its permissions, and give the command again",
        ) from cause
    finally:
        partial.unlink(missing_ok=True)


def _check_events(events: NDArray[Any], names: Sequence[str], labels: Sequence[str] | None) -> None:
    if events.ndim != 2 or events.dtype.kind not in "iufb":
        raise UsageError(
            "fcs.write.events",
            f"events of type {events.dtype} and shape {events.shape} cannot be written",
            hint="give real numbers of shape (events, channels)",
        )
    if events.shape[1] != len(names) or not 1 <= len(names) <= MAX_CHANNELS:
        raise UsageError(
            "fcs.write.names", f"{events.shape[1]} columns have {len(names)} names", hint="give one name a column"
        )
    if labels is not None and len(labels) != len(names):
        raise UsageError(
            "fcs.write.labels", f"{len(names)} columns have {len(labels)} labels", hint="give one label a column"
        )
    for name in names:
        if not name or name != name.strip() or "," in name or not name.isprintable():
            raise UsageError(
                "fcs.write.names",
                f"a channel cannot be called {shortened(name)!r}",
                hint="names are printable, without commas, not empty, and neither begin nor end with a blank",
            )
    if len(set(names)) != len(names):
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise UsageError("fcs.write.names", f"two channels are called {twice!r}", hint="$PnN must be unique")


def _keywords(
    events: NDArray[Any], names: Sequence[str], labels: Sequence[str] | None, extra: dict[str, str]
) -> dict[str, str]:
    """Return all keywords but the two that say where DATA is, in the order they are written."""
    given = {name.strip().upper(): value for name, value in extra.items()}
    channel_own = {f"$P{n}{letter}" for n in range(1, len(names) + 1) for letter in "BNE"}
    taken = sorted(set(given) & (_OURS | channel_own))
    if taken or len(given) != len(extra):
        raise UsageError(
            "fcs.write.keywords",
            f"keywords that cannot be given: {', '.join(taken) or 'the same one twice'}",
            hint="the writer sets the structural keywords itself",
        )
    values = {
        "$BEGINANALYSIS": "0",
        "$ENDANALYSIS": "0",
        "$BEGINSTEXT": "0",
        "$ENDSTEXT": "0",
        "$BYTEORD": "1,2,3,4",
        "$DATATYPE": "F",
        "$MODE": "L",
        "$NEXTDATA": "0",
        "$PAR": str(len(names)),
        "$TOT": str(len(events)),
    }
    for n, name in enumerate(names, 1):
        values |= {f"$P{n}N": name, f"$P{n}B": "32", f"$P{n}E": "0,0"}
        values[f"$P{n}R"] = given.pop(f"$P{n}R", "") or _top(events[:, n - 1])
        if labels is not None and labels[n - 1].strip():
            values[f"$P{n}S"] = given.pop(f"$P{n}S", labels[n - 1])
    for name in sorted(given):
        _check_keyword(name, given[name])
        values[name] = given[name]
    return values


def _check_keyword(name: str, value: str) -> None:
    if not name or not name.isascii() or not name.isprintable() or not isinstance(value, str) or not value.strip():
        raise UsageError(
            "fcs.write.keywords",
            f"the keyword {shortened(name)!r} cannot be written",
            hint="keywords are printable ASCII, values are text and not empty",
        )


def _top(column: NDArray[Any]) -> str:
    """Return ``$PnR``: the usual 2**18, or the next power of two above the largest finite value."""
    largest = float(np.max(column, where=np.isfinite(column), initial=0.0))
    return str(_USUAL_TOP if largest <= _USUAL_TOP else 1 << int(np.ceil(np.log2(largest))))
