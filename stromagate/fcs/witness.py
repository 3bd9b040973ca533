"""Second opinions: FlowIO and fcsparser read the same file, and their stored values and names are held against ours."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stromagate.fcs.numbers import shortened
from stromagate.fcs.read import read_raw
from stromagate.model.sample import F64, RawEvents

_Reading = tuple[list[str], F64]
_QUOTED = re.compile(r"b?'[^']*'|b?\"[^\"]*\"")
# What the witnesses are known for, told by a word of their own error.
_KNOWN_LIMITS = (
    ("newbyteorder", "this fcsparser cannot decode big-endian data under numpy 2"),
    ("offset discrepancy", "FlowIO does not decide between two offsets"),
    ("data start offset", "FlowIO does not decide between two offsets"),
    ("data end offset", "FlowIO does not decide between two offsets"),
    ("no events for whole numbers", "FlowIO decodes whole numbers of 8, 16 and 32 bits only"),
    ("mixed data", "fcsparser decodes one width of number only"),
)


@dataclass(frozen=True, slots=True)
class WitnessReport:
    """What one other reader made of the file."""

    name: str
    verdict: Literal["agrees", "differs", "cannot read"]
    detail: str


def compare(path: str | os.PathLike[str], *, dataset: int = 0) -> list[WitnessReport]:
    """Compare stored values and channel names with FlowIO and fcsparser, wherever they can read the file.

    Parameters
    ----------
    path : path
        FCS or LMD file that ``read_raw`` accepts.
    dataset : int
        Which data set, from 0.

    Returns
    -------
    list of WitnessReport
        ``cannot read`` says nothing about the file: both refuse or misread much that is legal or harmless.

    Raises
    ------
    InputError
        The file is refused by our own reader.
    """
    ours = read_raw(path, dataset=dataset)
    witnesses: dict[str, Callable[[str, int], _Reading]] = {"FlowIO": _ask_flowio, "fcsparser": _ask_fcsparser}
    return [_report(name, ask, os.fspath(path), dataset, ours) for name, ask in witnesses.items()]


def _report(name: str, ask: Callable[[str, int], _Reading], path: str, dataset: int, ours: RawEvents) -> WitnessReport:
    try:
        with _quiet():
            names, values = ask(path, dataset)
    except Exception as error:  # noqa: BLE001  (a witness may raise anything, and its failure is an answer)
        return WitnessReport(name, "cannot read", _explained(error, path))
    differences = _differences(names, values, ours)
    if differences:
        if any(repair.code.startswith("offsets.") for repair in ours.repairs):
            differences.append("HEADER and TEXT disagree on where DATA is, and it does not weigh them")
        return WitnessReport(name, "differs", "; ".join(differences))
    n_events = len(ours.columns[0])
    return WitnessReport(name, "agrees", f"{n_events:,} events x {len(ours.names)} channels, all values and names")


def _ask_flowio(path: str, dataset: int) -> _Reading:
    import flowio

    try:
        found = _flowio_data(path, dataset, tolerant=False)
    except flowio.exceptions.DataOffsetDiscrepancyError:
        raise
    except flowio.exceptions.FCSParsingError:
        # One byte too many at the end of DATA is refused by default and read rightly when allowed.
        found = _flowio_data(path, dataset, tolerant=True)
    if found.events is None:
        raise ValueError("no events for whole numbers of this width")
    values = np.asarray(found.events, dtype=np.float64).reshape(-1, int(found.channel_count))
    return list(found.pnn_labels), values


def _flowio_data(path: str, dataset: int, *, tolerant: bool) -> Any:
    import flowio

    # Given a name it leaves the file open when it fails.
    with Path(path).open("rb") as stream:
        if dataset:
            return flowio.read_multiple_data_sets(stream, ignore_offset_error=tolerant)[dataset]
        return flowio.FlowData(stream, ignore_offset_error=tolerant, nextdata_offset=0)


def _ask_fcsparser(path: str, dataset: int) -> _Reading:
    import fcsparser

    # Its default turns everything into float32, which rounds whole numbers above 2**24.
    _, table = fcsparser.parse(path, channel_naming="$PnN", data_set=dataset, dtype=None)
    return [str(name) for name in table.columns], table.to_numpy(dtype=np.float64)


def _differences(names: list[str], values: F64, ours: RawEvents) -> list[str]:
    n_events, n_channels = len(ours.columns[0]), len(ours.columns)
    if values.shape != (n_events, n_channels):
        return [f"it sees {values.shape[0]:,} events x {values.shape[1]} channels, not {n_events:,} x {n_channels}"]
    found = _different_names(names, ours.names)
    for index, column in enumerate(ours.columns):
        with np.errstate(invalid="ignore"):
            same = np.equal(column.astype(np.float64), values[:, index])
        both_nan = np.isnan(values[:, index]) & np.isnan(column.astype(np.float64))
        n_other = n_events - int(np.count_nonzero(same | both_nan))
        if n_other:
            found.append(f"{ours.names[index]}: {n_other:,} of {n_events:,} values")
    return found[:6]


def _different_names(names: list[str], ours: tuple[str, ...]) -> list[str]:
    if len(names) != len(ours):
        return [f"it has {len(names)} names for {len(ours)} channels"]
    return [
        f"name {shortened(theirs, 40)!r} for {shortened(mine, 40)!r}"
        for theirs, mine in zip(names, ours, strict=True)
        if theirs.strip() != mine
    ]


def _explained(error: BaseException, path: str) -> str:
    said = " ".join(str(error).replace(path, Path(path).name).split())
    text = f"{type(error).__name__}: {said}"
    known = next((why for word, why in _KNOWN_LIMITS if word in text.lower()), "")
    unquoted = shortened(_QUOTED.sub("'...'", text), 160)  # what another reader quotes may be any value of the file
    return f"{known} ({unquoted})" if known else unquoted


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the witnesses' prints, warnings and log lines off our own output."""
    sink = io.StringIO()
    before: Any = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
