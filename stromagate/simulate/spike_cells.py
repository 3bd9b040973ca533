"""The cells that are put into a real tube: single ones, dead ones, and MSC bound to a cell of the tube itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F32, F64
from stromagate.simulate import optics, scatter
from stromagate.simulate.antigens import draw_antigens
from stromagate.simulate.background import Background
from stromagate.simulate.background_cells import guess_kinds
from stromagate.simulate.doublets import Partners, gaps_um
from stromagate.simulate.marrow import Marrow
from stromagate.simulate.panel import CEILING, DETECTORS, Detector
from stromagate.simulate.populations import MSC, POPULATIONS, code_of
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.stain import stain_for
from stromagate.simulate.truth import DEAD, NO_PARTICLE, STUCK, Truth

PUT_IN = (MSC[0], "endothelium", "cd146_only")
"""Populations that are put in; the second kind of MSC comes out of the first by its CD146."""

_BRIGHTEST = int(np.argmax([detector.autofluorescence for detector in DETECTORS]))
# A colour of which nothing is known: its noise, and its part in a cell's autofluorescence.
_UNKNOWN = Detector("", "", "", 8.0, 25.0, 0.3, 0)
_SMALLEST_CELL = 40_000.0
"""Forward scatter, on our scale, from which an event of the tube is taken for a leukocyte that MSC stick to."""


@dataclass(frozen=True, slots=True)
class Colours:
    """The simulated colours: their places in DETECTORS, the extended matrix, and what the tube's events show in them.

    ``added`` has shape (n_events, n_new).
    """

    new: tuple[int, ...]
    matrix: F64
    added: F32


def draw_stroma(
    background: Background, marrow: Marrow, made: Scenario, colours: Colours, rng: np.random.Generator
) -> tuple[F32, Truth]:
    """Draw the cells to put in.

    Returns
    -------
    cells : ndarray of float32, shape (n_cells, n_channels + n_new)
        In the columns of the new tube; the time is left at zero.
    truth : Truth
        What they are. The cell of the tube that an MSC is bound to has the kind it was guessed to be.
    """
    ppm = (marrow.msc_ppm, made.endothelium_ppm, made.cd146_only_ppm)
    counts = [rng.poisson(rate * background.sample.n_events / 1e6) for rate in ppm]
    codes = rng.permutation(np.repeat(np.array([code_of(name) for name in PUT_IN], dtype=np.uint8), counts))
    factors = np.array([population.dead_factor for population in POPULATIONS])
    dead = rng.random(codes.size) < np.minimum(made.dead_frac * factors[codes], 0.9)
    size = rng.standard_normal(codes.size)
    antigen, cd146_high = draw_antigens(codes, size, marrow.antigens, rng)
    leak = optics.draw_leaks(dead, rng)
    dyes = optics.dye_signals(codes, antigen, leak, stain_for("stained"), rng)
    glow = optics.autofluorescence(codes, size, leak, rng)
    pulses = scatter.draw_pulses(codes, size, dead, rng)
    bound = (codes == code_of(MSC[0])) & (rng.random(codes.size) < marrow.msc_bound_frac)
    codes[cd146_high] = code_of(MSC[1])
    pairs, theirs = _partners(background, np.flatnonzero(bound), rng)
    cells = np.zeros((codes.size, len(background.sample.channels) + len(colours.new)), dtype=np.float32)
    _fill_scatter(cells, background, pulses, pairs, theirs, rng)
    _fill_colours(cells, background, colours, (dyes, glow), pairs.rows, theirs, rng)
    secondary = np.full(codes.size, NO_PARTICLE, dtype=np.uint8)
    secondary[pairs.rows] = pairs.codes
    flags = np.where(dead, DEAD, 0).astype(np.uint8)
    flags[pairs.rows] |= STUCK
    return cells, Truth(codes, secondary, flags)


def _partners(
    background: Background, rows: NDArray[np.intp], rng: np.random.Generator
) -> tuple[Partners, NDArray[np.intp]]:
    """Return a cell of the tube for each bound MSC: what it may be, and which event it is."""
    column = background.scatter["FSC-A"]
    large = np.flatnonzero(background.sample.events[:, column] / background.factor[column] >= _SMALLEST_CELL)
    theirs = rng.choice(large if large.size else np.arange(background.sample.n_events), rows.size)
    kinds, _ = guess_kinds(background, theirs, rng)
    return Partners(rows, kinds, np.zeros(rows.size, dtype=np.bool_)), theirs


def _fill_scatter(
    cells: F32,
    background: Background,
    pulses: scatter.Pulses,
    pairs: Partners,
    theirs: NDArray[np.intp],
    rng: np.random.Generator,
) -> None:
    fsc, ssc = (
        np.maximum(background.sample.events[theirs, background.scatter[name]].astype(np.float64), 1.0)
        / background.factor[background.scatter[name]]
        for name in ("FSC-A", "SSC-A")
    )
    second = scatter.pulses_of(fsc, ssc)
    gaps = gaps_um(pulses.diameter_um[pairs.rows], second.diameter_um, pairs.by_chance, rng)
    drawn = scatter.columns(pulses, second, pairs.rows, gaps).astype(np.float64)
    ours = dict(zip(("FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H"), drawn.T, strict=True))
    ours["SSC-W"] = scatter.WIDTH_UNITS * ours["SSC-A"] / np.maximum(ours["SSC-H"], 1.0)
    for name, column in background.scatter.items():
        cells[:, column] = np.minimum(np.rint(ours[name] * background.factor[column]), background.top[column] - 1.0)


def _fill_colours(
    cells: F32,
    background: Background,
    colours: Colours,
    light: tuple[F64, F64],
    rows: NDArray[np.intp],
    theirs: NDArray[np.intp],
    rng: np.random.Generator,
) -> None:
    dyes, glow = light
    old, new = list(background.colours), colours.new
    factor = np.concatenate([background.factor[old], np.full(len(new), background.colour_factor)])
    own, shine, detectors = _by_colour(background, new, dyes, glow)
    # The matrix is in the tube's units: dyes go there, through the spillover, and back to count photoelectrons.
    expected = (own * factor) @ colours.matrix / factor + shine
    seen = factor * optics.detect(expected, rng, detectors)
    seen[rows, : len(old)] += background.sample.events[theirs][:, old]
    seen[rows, len(old) :] += colours.added[theirs]
    tops = np.concatenate([background.top[old] - 1.0, np.full(len(new), background.colour_factor * CEILING)])
    seen = np.minimum(seen, tops)
    cells[:, old] = seen[:, : len(old)]
    cells[:, len(background.sample.channels) :] = seen[:, len(old) :]


def _by_colour(background: Background, new: Sequence[int], dyes: F64, glow: F64) -> tuple[F64, F64, list[Detector]]:
    """Return dye and autofluorescence in each colour of the tube and each new one, and how its detector counts."""
    by_name = {detector.pnn: place for place, detector in enumerate(DETECTORS)}
    columns = background.colours
    carried = [background.carries.get(column) for column in columns] + list(new)
    named = [by_name.get(background.sample.pnn[column]) for column in columns] + list(new)
    own, shine = np.zeros((dyes.shape[0], len(carried))), np.empty((dyes.shape[0], len(carried)))
    detectors = []
    for i, (marker, name) in enumerate(zip(carried, named, strict=True)):
        if marker is not None:
            own[:, i] = dyes[:, marker]
        place = name if marker is None else marker
        detectors.append(_UNKNOWN if place is None else DETECTORS[place])
        shine[:, i] = glow[:, _BRIGHTEST] * _UNKNOWN.autofluorescence if place is None else glow[:, place]
    return own, shine, detectors
