"""A real tube as background for simulated stroma: what its columns are, and how its scale compares with ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import SpecificationError
from stromagate.model.sample import F64, Channel, Sample
from stromagate.simulate.panel import CEILING, DETECTORS, detector_index, spillover
from stromagate.templates.aliases import squash, vocabulary

MIN_EVENTS = 1_000
"""Fewer events do not show the scale of a tube."""

ORDINARY_SHARE = 0.01
"""Spillover between two dyes of which nothing is known: 0.5 to 5 % is ordinary."""

# What the reference cells show on our own scale: lymphocytes, the brightest of CD45; without CD45, cells of any kind.
_LYMPHOCYTES = {"FSC-A": 60e3, "FSC-H": 60e3, "FSC-W": 65_536.0, "SSC-A": 20e3, "SSC-H": 20e3, "SSC-W": 65_536.0}
_ANY_CELL = {"FSC-A": 75e3, "FSC-H": 70e3, "FSC-W": 70e3, "SSC-A": 45e3, "SSC-H": 42e3, "SSC-W": 70e3}
_LYMPHOCYTE_CD45 = 10.0**4.4
_STEPS = 8
_WORST_CONDITION = 1e6
_SCATTER = re.compile(
    r"(?P<side>fsc?|ssc?)(?:[-_ .]*(?P<pulse>area|height|width|lin|a|h|w))?(?:[-_ .]*lin)?", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+")
_FULL_SCALE = float(CEILING + 1)


@dataclass(frozen=True, slots=True)
class Background:
    """A real tube and what is known of its columns.

    Attributes
    ----------
    scatter : mapping of str to int
        Our name of a scatter column, such as ``FSC-A``, to the tube's column.
    colours : tuple of int
        Columns of fluorescence.
    carries : mapping of int to int
        Column to the place in DETECTORS of the marker it carries.
    factor : ndarray of float64, shape (n_channels,)
        Units of the tube to one of ours.
    top : ndarray of float64, shape (n_channels,)
        Largest value a column can hold.
    matrix : ndarray of float64, shape (n_colours, n_colours)
        The tube's own spillover between its colours; the unit matrix where it states none.
    time : int or None
        Column of the time.
    reference : str
        What the scale was measured by, in words.
    """

    sample: Sample
    scatter: Mapping[str, int]
    colours: tuple[int, ...]
    carries: Mapping[int, int]
    factor: F64
    top: F64
    matrix: F64
    time: int | None
    reference: str

    @property
    def colour_factor(self) -> float:
        """Gain of simulated colours: that of the tube's own ones, by their full scale."""
        if not self.colours:
            return 1.0
        return float(np.median(self.top[list(self.colours)])) / _FULL_SCALE

    def compensated(self, rows: slice | NDArray[np.intp]) -> F64:
        """Return the dyes of some events, shape (n, n_colours), in the tube's units."""
        seen = self.sample.events[rows][:, list(self.colours)].astype(np.float64)
        return np.asarray(seen @ np.linalg.inv(self.matrix), dtype=np.float64)


def read_background(path: Path) -> Background:
    """Read a tube to put cells into.

    Raises
    ------
    InputError
        The file cannot be read.
    SpecificationError
        It has too few events, or none of the two scatter columns that show that it is cells in a flow cytometer.
    """
    from stromagate.fcs import read_fcs

    sample = read_fcs(path)
    scatter = _scatter_columns(sample.channels)
    if sample.n_events < MIN_EVENTS:
        raise SpecificationError(
            "simulate.background",
            f"the background has {sample.n_events:,} events",
            where=str(path),
            hint=f"at least {MIN_EVENTS:,} are needed to see its scale",
        )
    if not {"FSC-A", "SSC-A"} <= set(scatter):
        names = ", ".join(sample.pnn)
        raise SpecificationError(
            "simulate.background",
            "the background has no forward and side scatter",
            where=str(path),
            hint=f"a tube of a flow cytometer is needed; its channels are {names}",
        )
    if not all(np.isfinite(sample.events[:, column]).all() for column in range(len(sample.channels))):
        raise SpecificationError(
            "simulate.background",
            "the background holds values that are no numbers",
            where=str(path),
            hint="export the tube again without transformed values",
        )
    if sample.spillover.matrix is not None and np.linalg.cond(sample.spillover.matrix) > _WORST_CONDITION:
        raise SpecificationError(
            "simulate.background",
            "two rows of the background's spillover matrix are alike, and its dyes cannot be told apart",
            where=str(path),
            hint="take a tube whose matrix can be used",
        )
    return _measured(sample, scatter)


def _measured(sample: Sample, scatter: Mapping[str, int]) -> Background:
    time = next((channel.index for channel in sample.channels if channel.is_time), None)
    pulses = {channel.index for channel in sample.channels if _SCATTER.fullmatch(channel.pnn.strip())}
    colours = tuple(c.index for c in sample.channels if c.index not in pulses and not c.is_time)
    carries = _carried(sample.channels, colours)
    top = np.array([_top(channel) for channel in sample.channels])
    matrix = _own_matrix(sample, colours)
    factor = top / _FULL_SCALE
    known = Background(sample, scatter, colours, carries, factor, top, matrix, time, "")
    rows, expected, reference = _reference(known)
    for name, column in scatter.items():
        factor[column] = max(float(np.median(sample.events[rows, column])), 1.0) / expected[name]
    cd45 = _column_of("CD45", carries)
    if cd45 is not None:
        bright = float(np.median(known.compensated(slice(None))[rows, colours.index(cd45)]))
        factor[cd45] = max(bright, 1.0) / _LYMPHOCYTE_CD45
    return Background(sample, scatter, colours, carries, factor, top, matrix, time, reference)


def _reference(known: Background) -> tuple[NDArray[np.intp], Mapping[str, float], str]:
    """Return cells whose place on our scale is known, where that is, and what they are."""
    cd45 = _column_of("CD45", known.carries)
    if cd45 is None:
        area = known.sample.events[:, known.scatter["FSC-A"]]
        rows = np.flatnonzero(area >= np.quantile(area, 0.25))
        return rows, _ANY_CELL, "all but the smallest quarter of the events"
    signal = known.compensated(slice(None))[:, known.colours.index(cd45)]
    fsc, ssc = (known.sample.events[:, known.scatter[name]].astype(np.float64) for name in ("FSC-A", "SSC-A"))
    return _lymphocytes(fsc, ssc, signal), _LYMPHOCYTES, "the cells with most CD45 and little side scatter: lymphocytes"


def _lymphocytes(fsc: F64, ssc: F64, cd45: F64) -> NDArray[np.intp]:
    """Return the lymphocytes: from the very brightest of CD45 with least side scatter to where cells lie densest.

    Among blasts lymphocytes are few, so that only the brightest fiftieth is looked at to begin with.
    """
    bright = cd45 >= np.quantile(cd45, 0.98)
    near = bright & (ssc <= np.quantile(ssc[bright], 0.25))
    for _ in range(_STEPS):
        size, grain, middle = (float(np.median(values[near])) for values in (fsc, ssc, cd45))
        close = (np.abs(fsc - size) <= 0.3 * size) & (np.abs(ssc - grain) <= 0.35 * grain)
        close &= (cd45 >= 0.6 * middle) & (cd45 <= 1.7 * middle)
        if not close.any():
            break
        near = close
    return np.flatnonzero(near)


def _column_of(marker: str, carries: Mapping[int, int]) -> int | None:
    return next((column for column, detector in carries.items() if DETECTORS[detector].marker == marker), None)


def _scatter_columns(channels: Sequence[Channel]) -> dict[str, int]:
    found: dict[str, int] = {}
    for channel in channels:
        match = _SCATTER.fullmatch(channel.pnn.strip())
        if match:
            pulse = (match["pulse"] or "a")[0].upper().replace("L", "A")
            found.setdefault(f"{match['side'][0].upper()}SC-{pulse}", channel.index)
    for side in ("FSC", "SSC"):
        if f"{side}-A" not in found and f"{side}-H" in found:
            found[f"{side}-A"] = found.pop(f"{side}-H")  # older instruments measured heights only
    return found


def _carried(channels: Sequence[Channel], colours: Sequence[int]) -> dict[int, int]:
    """Say which column carries which of our markers: by its label, else by its name; the first one where two do."""
    wanted = {frozenset(detector.marker.split("+")): place for place, detector in enumerate(DETECTORS)}
    dump = next(markers for markers in wanted if "CD235a" in markers)
    wanted |= {frozenset({marker}): wanted[dump] for marker in dump}
    carries: dict[int, int] = {}
    for column in colours:
        channel = channels[column]
        named = _markers(channel.pns) or _markers(channel.pnn)
        place = wanted.get(named)
        if place is not None and place not in carries.values():
            carries[column] = place
    return carries


def _markers(text: str) -> frozenset[str]:
    """Return the markers and dyes that whole words of a name stand for."""
    words = vocabulary()
    folded = [squash(word) for word in _WORD.findall(text)]
    folded += [first + second for first, second in pairwise(folded)]
    named = (words.markers.get(word) or words.dye(word) for word in folded)
    return frozenset(marker for marker in named if marker)


def _top(channel: Channel) -> float:
    if channel.log_decades:
        return float((channel.log_offset or 1.0) * 10.0**channel.log_decades)
    return channel.range_top if channel.range_top > 1 else _FULL_SCALE


def _own_matrix(sample: Sample, colours: Sequence[int]) -> F64:
    matrix = np.eye(len(colours))
    spill = sample.spillover
    if spill.status != "ok" or spill.matrix is None:
        return matrix
    place = {sample.pnn[column]: row for row, column in enumerate(colours)}
    kept = [i for i, name in enumerate(spill.channels) if name in place]
    rows = [place[spill.channels[i]] for i in kept]
    matrix[np.ix_(rows, rows)] = spill.matrix[np.ix_(kept, kept)]
    return matrix


def extended_matrix(background: Background, new: Sequence[int]) -> F64:
    """Return the spillover between the tube's colours and the simulated ones.

    Parameters
    ----------
    new : sequence of int
        Places in DETECTORS of the simulated colours.

    Returns
    -------
    ndarray of float64, shape (n_colours + n_new, n_colours + n_new)
        The tube's own block is untouched. Between its dyes and ours stand the panel's shares where the detectors are
        of the same name, and an ordinary one elsewhere.
    """
    ours = spillover()
    names = {detector.pnn: place for place, detector in enumerate(DETECTORS)}
    n_old = len(background.colours)
    matrix = np.full((n_old + len(new), n_old + len(new)), ORDINARY_SHARE)
    matrix[:n_old, :n_old] = background.matrix
    matrix[n_old:, n_old:] = ours[np.ix_(list(new), list(new))]
    for row, column in enumerate(background.colours):
        place = names.get(background.sample.pnn[column])
        for offset, other in enumerate(new):
            if place is not None and place != other:
                matrix[row, n_old + offset] = ours[place, other]
                matrix[n_old + offset, row] = ours[other, place]
    return matrix


def missing_detectors(background: Background) -> tuple[int, ...]:
    """Return the places in DETECTORS of the colours that the tube does not have."""
    there = set(background.carries.values())
    return tuple(detector_index(detector.pnn) for i, detector in enumerate(DETECTORS) if i not in there)
