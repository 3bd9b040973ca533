"""Simulated stroma in a real tube: its colours are kept, those it lacks are simulated, and truth says what is ours.

What was measured of the background stays as it is. Only single cells are put in, and each shows what the tube's own
colours would show of it; on colours of which nothing is known it is negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import UsageError
from stromagate.model.sample import F32, F64
from stromagate.simulate import optics, scatter
from stromagate.simulate.antigens import Codes, draw_antigens
from stromagate.simulate.background import (
    Background,
    extended_matrix,
    missing_detectors,
    read_background,
)
from stromagate.simulate.background_cells import guess_dead, guess_kinds
from stromagate.simulate.doublets import no_partners
from stromagate.simulate.keywords import SIMULATED
from stromagate.simulate.marrow import Marrow, draw_marrow, preparation
from stromagate.simulate.panel import ANTIBODIES, CEILING, DETECTORS, Detector, Stain, stain_for
from stromagate.simulate.populations import MSC, POPULATIONS, code_of
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.seeds import stream
from stromagate.simulate.truth import BACKGROUND, DEAD, NO_PARTICLE, Truth

PUT_IN = (MSC[0], "endothelium", "cd146_only")
"""Populations that are put in; the second kind of MSC comes out of the first by its CD146."""

_CHUNK = 50_000
_BRIGHTEST = int(np.argmax([detector.autofluorescence for detector in DETECTORS]))
# A colour of which nothing is known: its noise, and its part in a cell's autofluorescence.
_UNKNOWN = Detector("", "", "", 8.0, 25.0, 0.3, 0)


@dataclass(frozen=True, slots=True)
class SpikeOrder:
    """What to make: a scenario's stroma in the tube at ``background``; the scenario's blood cells are not used."""

    background: Path
    scenario: Scenario
    sample_id: str
    donor: str
    seed: int = 1
    family: str = "a"


@dataclass(frozen=True, slots=True)
class Spiked:
    """A real tube with simulated cells: ``events`` of shape (n_events, n_channels + n_simulated), in order of time.

    ``labels`` are the markers; ``simulated`` the names of the columns that the real tube does not have, among them the
    height of forward scatter where it has only area and width; ``colours`` the columns that ``matrix`` is of.
    Background events have no known kind: their ``primary`` is NO_PARTICLE.
    """

    order: SpikeOrder
    background: Background
    events: F32
    names: tuple[str, ...]
    labels: tuple[str, ...]
    simulated: tuple[str, ...]
    colours: tuple[str, ...]
    matrix: F64
    truth: Truth
    marrow: Marrow


def spike_in(order: SpikeOrder) -> Spiked:
    """Put stroma into a real tube.

    Raises
    ------
    InputError, SpecificationError
        The background cannot be read, or is no tube of cells in a flow cytometer.
    UsageError
        The scenario's stroma is more than the background could hold.
    """
    background = read_background(order.background)
    made = order.scenario
    if made.msc_ppm + made.endothelium_ppm + made.cd146_only_ppm > 100_000:
        raise UsageError("simulate.spike", "more than a tenth of the events would be stroma", hint="ask for fewer")
    marrow = draw_marrow(
        made, preparation("whole"), seed=order.seed, donor=order.donor, batch="spike_in", family=order.family
    )
    new = missing_detectors(background)
    matrix = extended_matrix(background, new)
    added = _new_columns(background, marrow, made.dead_frac, new, matrix, order)
    old = background.sample.events
    cells, truth = _stroma(background, marrow, new, matrix, order)
    at = np.sort(stream(order.seed, "places", order.sample_id).integers(0, old.shape[0], cells.shape[0]))
    if background.time is not None:
        cells[:, background.time] = old[at, background.time]
    height = _height(background, np.insert(old, at, cells[:, : old.shape[1]], axis=0))
    events = np.column_stack([np.insert(np.column_stack([old, added]), at, cells, axis=0), height])
    names = _new_names(background, new)
    further = ("FSC-H",) * height.shape[1]
    sample = background.sample
    return Spiked(
        order,
        background,
        events,
        (*sample.pnn, *names, *further),
        (
            *(channel.pns for channel in sample.channels),
            *(DETECTORS[place].marker for place in new),
            *("",) * len(further),
        ),
        (*names, *further),
        (*(sample.pnn[column] for column in background.colours), *names),
        matrix,
        _merged(truth, at, old.shape[0]),
        marrow,
    )


def write_spiked(spiked: Spiked, path: Path) -> None:
    """Write the tube as FCS 3.1: scale values, the extended matrix, and a word on what is simulated in it."""
    from stromagate.fcs import write_fcs

    cells = [f"{share:.6g}" for row in spiked.matrix.tolist() for share in row]
    source = spiked.background.sample
    words = {
        "$FIL": path.name,
        "$CYT": source.keywords.get("$CYT", "").strip() or "unknown",
        "$COM": f"Simulated stroma and simulated {', '.join(spiked.simulated) or 'nothing'} in measured events.",
        "$SPILLOVER": ",".join([str(len(spiked.colours)), *spiked.colours, *cells]),
        SIMULATED: "stroma",
        "STROMAGATE_SCENARIO": spiked.order.scenario.name,
        "STROMAGATE_SEED": str(spiked.order.seed),
        "STROMAGATE_BACKGROUND": Path(source.source.path).name,
    }
    for number, channel in enumerate(source.channels, start=1):
        top = spiked.background.top[channel.index]
        words[f"$P{number}R"] = f"{int(np.ceil(top))}"
    write_fcs(path, spiked.events, spiked.names, labels=spiked.labels, keywords=words)


def _height(background: Background, events: F32) -> F32:
    """Return the height of forward scatter where the tube has only area and width, shape (n_events, 1 or 0)."""
    columns = background.scatter
    if "FSC-H" in columns or "FSC-W" not in columns:
        return np.empty((events.shape[0], 0), dtype=np.float32)
    area, width = (events[:, columns[name]].astype(np.float64) for name in ("FSC-A", "FSC-W"))
    longest = np.maximum(width / (background.factor[columns["FSC-W"]] * scatter.WIDTH_UNITS), 0.1)
    return np.asarray(np.rint(area / longest)[:, None], dtype=np.float32)


def _new_names(background: Background, new: tuple[int, ...]) -> tuple[str, ...]:
    """Name the simulated columns as our panel does, and otherwise where the tube uses that name for another marker."""
    taken = {name.casefold() for name in background.sample.pnn}
    names = (DETECTORS[place].pnn for place in new)
    return tuple(f"SIM-{name}" if name.casefold() in taken else name for name in names)


def _new_columns(
    background: Background,
    marrow: Marrow,
    dead_frac: float,
    new: tuple[int, ...],
    matrix: F64,
    order: SpikeOrder,
) -> F32:
    """Return what the background cells show in the colours that the tube lacks, shape (n_events, n_new)."""
    n_old, n_events = len(background.colours), background.sample.n_events
    scale = _colour_factor(background)
    into_new = matrix[:n_old, n_old:]
    stain = _only(new)
    columns = np.empty((n_events, len(new)), dtype=np.float32)
    for start in range(0, n_events, _CHUNK):
        rows = slice(start, min(start + _CHUNK, n_events))
        rng = stream(order.seed, "negatives", order.sample_id, start)
        codes, size = guess_kinds(background, rows, rng)
        dead = guess_dead(background, rows, codes, dead_frac, rng)
        leak = optics.draw_leaks(dead, rng)
        antigen, _ = draw_antigens(codes, size, marrow.antigens, rng)
        dyes = optics.dye_signals(codes, antigen, leak, stain, rng)[:, list(new)]
        glow = optics.autofluorescence(codes, size, leak, rng)[:, list(new)]
        spilled = np.maximum(background.compensated(rows), 0.0) / scale
        expected = dyes @ matrix[n_old:, n_old:] + glow + spilled @ into_new
        columns[rows] = scale * optics.detect(expected, rng, [DETECTORS[place] for place in new])
    return columns


def _stroma(
    background: Background, marrow: Marrow, new: tuple[int, ...], matrix: F64, order: SpikeOrder
) -> tuple[F32, Truth]:
    """Return the cells to put in, in the columns of the new tube, and what they are."""
    rng = stream(order.seed, "stroma", order.sample_id)
    ppm = (marrow.msc_ppm, order.scenario.endothelium_ppm, order.scenario.cd146_only_ppm)
    counts = [rng.poisson(rate * background.sample.n_events / 1e6) for rate in ppm]
    codes = np.repeat(np.array([code_of(name) for name in PUT_IN], dtype=np.uint8), counts)
    codes = rng.permutation(codes)
    factors = np.array([population.dead_factor for population in POPULATIONS])
    dead = rng.random(codes.size) < np.minimum(order.scenario.dead_frac * factors[codes], 0.9)
    size = rng.standard_normal(codes.size)
    antigen, cd146_high = draw_antigens(codes, size, marrow.antigens, rng)
    codes[cd146_high] = code_of(MSC[1])
    leak = optics.draw_leaks(dead, rng)
    n_channels = len(background.sample.channels)
    cells = np.zeros((codes.size, n_channels + len(new)), dtype=np.float32)
    pulses = scatter.draw_pulses(codes, size, dead, rng)
    _fill_scatter(cells, background, pulses)
    _fill_colours(cells, background, new, matrix, _light_of(codes, antigen, size, leak, rng), rng)
    flags = np.where(dead, DEAD, 0).astype(np.uint8)
    return cells, Truth(codes, np.full(codes.size, NO_PARTICLE, dtype=np.uint8), flags)


def _light_of(codes: Codes, antigen: F64, size: F64, leak: F64, rng: np.random.Generator) -> tuple[F64, F64]:
    """Return the dyes of our panel and the autofluorescence in its detectors, each of shape (n, n_detectors)."""
    dyes = optics.dye_signals(codes, antigen, leak, stain_for("stained"), rng)
    return dyes, optics.autofluorescence(codes, size, leak, rng)


def _fill_colours(
    cells: F32,
    background: Background,
    new: tuple[int, ...],
    matrix: F64,
    light: tuple[F64, F64],
    rng: np.random.Generator,
) -> None:
    dyes, glow = light
    colours, n_old = list(background.colours), len(background.colours)
    place_of = [background.carries.get(column) for column in colours] + list(new)
    factor = np.concatenate([background.factor[colours], np.full(len(new), _colour_factor(background))])
    by_name = {detector.pnn: place for place, detector in enumerate(DETECTORS)}
    detectors, own, shine = [], np.zeros((cells.shape[0], len(place_of))), np.empty((cells.shape[0], len(place_of)))
    brightest = glow[:, _BRIGHTEST]
    for i, place in enumerate(place_of):
        if place is not None:
            own[:, i] = dyes[:, place]
        if place is None:
            place = by_name.get(background.sample.pnn[colours[i]])  # noqa: PLW2901  (a detector of ours, another marker)
        detectors.append(_UNKNOWN if place is None else DETECTORS[place])
        shine[:, i] = brightest * _UNKNOWN.autofluorescence if place is None else glow[:, place]
    # The matrix is in the tube's units: dyes go there, through the spillover, and back to count photoelectrons.
    expected = (own * factor) @ matrix / factor + shine
    seen = factor * optics.detect(expected, rng, detectors)
    tops = np.concatenate([background.top[colours] - 1.0, np.full(len(new), factor[-1] * CEILING if new else CEILING)])
    seen = np.minimum(seen, tops)
    cells[:, colours] = seen[:, :n_old]
    cells[:, len(background.sample.channels) :] = seen[:, n_old:]


def _fill_scatter(cells: F32, background: Background, pulses: scatter.Pulses) -> None:
    nobody = no_partners()
    drawn = scatter.columns(pulses, pulses.take(nobody.rows), nobody.rows, np.empty(0)).astype(np.float64)
    ours = dict(zip(("FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H"), drawn.T, strict=True))
    ours["SSC-W"] = scatter.WIDTH_UNITS * pulses.ssc_ratio
    for name, column in background.scatter.items():
        cells[:, column] = np.minimum(np.rint(ours[name] * background.factor[column]), background.top[column] - 1.0)


def _only(places: tuple[int, ...]) -> Stain:
    """Return the reagents of these detectors alone."""
    names = {DETECTORS[place].pnn for place in places}
    viability = any(DETECTORS[place].marker == "Viability" for place in places)
    return Stain(tuple(antibody.pnn in names for antibody in ANTIBODIES), viability)


def _colour_factor(background: Background) -> float:
    """Return the gain of the simulated colours: that of the tube's colours, by their full scale."""
    if not background.colours:
        return 1.0
    return float(np.median(background.top[list(background.colours)])) / (CEILING + 1)


def _merged(truth: Truth, at: NDArray[np.intp], n_background: int) -> Truth:
    none = np.full(n_background, NO_PARTICLE, dtype=np.uint8)
    flags = np.full(n_background, BACKGROUND, dtype=np.uint8)
    return Truth(
        np.insert(none, at, truth.primary), np.insert(none, at, truth.secondary), np.insert(flags, at, truth.flags)
    )
