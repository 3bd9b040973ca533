"""Simulated stroma in a real tube: its colours are kept, those it lacks are simulated, and truth says what is ours.

What was measured of the background stays as it is. Each cell that is put in shows what the tube's own colours would
show of it; on colours of which nothing is known it is negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import UsageError
from stromagate.model.sample import F32, F64
from stromagate.simulate import optics, scatter
from stromagate.simulate.antigens import draw_antigens
from stromagate.simulate.background import (
    Background,
    extended_matrix,
    missing_detectors,
    read_background,
)
from stromagate.simulate.background_cells import guess_dead, guess_kinds
from stromagate.simulate.keywords import SIMULATED
from stromagate.simulate.marrow import Marrow, draw_marrow, preparation
from stromagate.simulate.panel import ANTIBODIES, DETECTORS, STROMA_CORE_8
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.scenario_check import check_scenario
from stromagate.simulate.seeds import stream
from stromagate.simulate.spike_cells import Colours, draw_stroma
from stromagate.simulate.stain import Stain, binding
from stromagate.simulate.truth import BACKGROUND, NO_PARTICLE, Truth

_CHUNK = 50_000


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
        The background cannot be read, or is no tube of cells in a flow cytometer; the scenario cannot be.
    UsageError
        The scenario's stroma is more than the background could hold.
    """
    made = order.scenario
    check_scenario(made)
    background = read_background(order.background)
    if made.msc_ppm + made.endothelium_ppm + made.cd146_only_ppm > 100_000:
        raise UsageError("simulate.spike", "more than a tenth of the events would be stroma", hint="ask for fewer")
    marrow = draw_marrow(
        made, preparation("whole"), seed=order.seed, donor=order.donor, batch="spike_in", family=order.family
    )
    new = missing_detectors(background)
    matrix = extended_matrix(background, new)
    added = _new_columns(background, marrow, made.dead_frac, new, matrix, order)
    old = background.sample.events
    cells, truth = draw_stroma(
        background, marrow, made, Colours(new, matrix, added), stream(order.seed, "stroma", order.sample_id)
    )
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
    from stromagate.fcs.identity import seen_in

    cells = [f"{share:.6g}" for row in spiked.matrix.tolist() for share in row]
    source = spiked.background.sample
    cytometer = source.keywords.get("$CYT", "").strip()
    words = {
        "$FIL": path.name,
        "$CYT": cytometer if cytometer and not seen_in("$CYT", cytometer) else "unknown",
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
    scale = background.colour_factor
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


def _only(places: tuple[int, ...]) -> Stain:
    """Return the reagents of these detectors alone."""
    names = {DETECTORS[place].pnn for place in places}
    viability = any(DETECTORS[place].marker == "Viability" for place in places)
    return Stain(tuple(antibody.pnn in names for antibody in ANTIBODIES), viability, binding(STROMA_CORE_8))


def _merged(truth: Truth, at: NDArray[np.intp], n_background: int) -> Truth:
    none = np.full(n_background, NO_PARTICLE, dtype=np.uint8)
    flags = np.full(n_background, BACKGROUND, dtype=np.uint8)
    return Truth(
        np.insert(none, at, truth.primary), np.insert(none, at, truth.secondary), np.insert(flags, at, truth.flags)
    )
