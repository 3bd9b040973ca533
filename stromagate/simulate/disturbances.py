"""What goes wrong during a run: light that drifts, clogs, air bubbles, and cells left over from the tube before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F32, F64
from stromagate.simulate.faults import RunFaults
from stromagate.simulate.panel import CEILING, DETECTORS, Detector
from stromagate.simulate.scatter import TRIGGER_UNITS

CARRYOVER_WINDOW_S = 10.0
"""What the tube before left in the sample line comes within this time."""
_CARRYOVER_DECAY_S = 3.0
_CLOG_LENGTH, _CLOG_RATE, _CLOG_DECADES = (0.02, 0.08), (0.05, 0.40), (0.2, 0.5)
_BUBBLE_S, _BUBBLE_RATE = (0.03, 0.12), 4.0


@dataclass(frozen=True, slots=True)
class Span:
    """One span of a run, in seconds: the rate in it relative to the rest, and how far light drops, in decades."""

    kind: Literal["clog", "bubble"]
    start_s: float
    end_s: float
    rate_frac: float
    light_decades: float = 0.0


@dataclass(frozen=True, slots=True)
class Disturbance:
    """All that goes wrong with one run; ``drift_decades`` is by detector, from the first event to the last."""

    spans: tuple[Span, ...]
    drift_decades: F64
    carryover_frac: float
    duration_s: float = 0.0


def no_disturbance(n_detectors: int = len(DETECTORS)) -> Disturbance:
    """Return a run in which nothing goes wrong."""
    return Disturbance((), np.zeros(n_detectors), 0.0)


def draw_disturbance(
    faults: RunFaults, duration_s: float, rng: np.random.Generator, n_detectors: int = len(DETECTORS)
) -> Disturbance:
    """Draw where and how strongly the faults of a run strike."""
    drift = np.zeros(n_detectors)
    chosen = rng.choice(n_detectors, faults.drift_channels, replace=False)
    drift[chosen] = faults.drift_decades * rng.choice([-1.0, 1.0], faults.drift_channels)
    spans = [_clog(i, faults.clogs, duration_s, rng) for i in range(faults.clogs)]
    for _ in range(faults.bubbles):
        start = duration_s * (0.05 + 0.9 * rng.random())
        spans.append(Span("bubble", start, min(start + rng.uniform(*_BUBBLE_S), duration_s), _BUBBLE_RATE))
    return Disturbance(tuple(spans), drift, faults.carryover_frac)


def disturbed(edges_s: F64, mass: F64, found: Disturbance) -> tuple[F64, F64, Disturbance]:
    """Cut the bins of a run at its spans, and stretch the run by what the clogs held back.

    Parameters
    ----------
    edges_s : ndarray of float64, shape (n_bins + 1,)
    mass : ndarray of float64, shape (n_bins,)
        Relative rate of each bin.

    Returns
    -------
    tuple
        New edges, the events of each bin relative to the others, and the spans on the stretched axis.
    """
    marks = [edge for span in found.spans for edge in (span.start_s, span.end_s)]
    cut = np.unique(np.concatenate([edges_s, marks]))
    middle = 0.5 * (cut[:-1] + cut[1:])
    rate = mass[np.clip(np.searchsorted(edges_s, middle, side="right") - 1, 0, mass.size - 1)]
    plain = rate * np.diff(cut)
    factor = np.ones_like(rate)
    for span in found.spans:
        within = (middle >= span.start_s) & (middle < span.end_s)
        factor[within] *= span.rate_frac
    held = plain * factor
    stretch = float(plain.sum() / held.sum())
    spans = tuple(replace(span, start_s=span.start_s * stretch, end_s=span.end_s * stretch) for span in found.spans)
    return cut * stretch, held, replace(found, spans=spans)


def light_factor(found: Disturbance, times_s: F64) -> F64 | None:
    """Return what is left of the light, shape (n_events, n_detectors); None where nothing changes."""
    if not found.spans and not found.drift_decades.any():
        return None
    decades = np.outer(times_s / found.duration_s, found.drift_decades)
    decades -= clog_decades(found, times_s)[:, None]
    return np.asarray(10.0**decades, dtype=np.float64)


def clog_decades(found: Disturbance, times_s: F64) -> F64:
    """Return how far all light is down at each time, shape (n_events,), decades."""
    down = np.zeros(times_s.size)
    for span in found.spans:
        if span.kind == "clog":
            down[_within(span, times_s)] = span.light_decades
    return down


def dim_scatter(scatter: F32, debris: NDArray[np.bool_], found: Disturbance, times_s: F64) -> None:
    """Take light from the scatter of clogged events, in place; what is seen at all lies above the trigger.

    Parameters
    ----------
    scatter : ndarray of float32, shape (n_events, 5)
        FSC-A, FSC-H, FSC-W, SSC-A, SSC-H; the width stays.
    debris : ndarray of bool, shape (n_events,)
        Exponential above the trigger: dimmed, it is exponential above the same trigger with a shorter scale.
    """
    down = clog_decades(found, times_s)
    rows = np.flatnonzero(down)
    left = 10.0 ** -down[rows]
    before = scatter[rows, 0].astype(np.float64)
    floor = np.where(debris[rows], TRIGGER_UNITS * (1.0 - left), 0.0)
    after = np.maximum(before * left + floor, TRIGGER_UNITS)
    ratio = np.divide(after, before, out=np.ones_like(after), where=before > 0)
    scatter[rows, 0] = np.rint(after)
    scatter[rows, 1] = np.rint(scatter[rows, 1] * ratio)
    scatter[rows, 3:] = np.rint(scatter[rows, 3:] * left[:, None])


def clogged(found: Disturbance, times_s: F64) -> NDArray[np.bool_]:
    """Return which events were recorded during a clog."""
    return clog_decades(found, times_s) > 0


def draw_bubbles(found: Disturbance, times_s: F64, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the events that are air: in a bubble the rate rises by them alone."""
    share = np.zeros(times_s.size)
    for span in found.spans:
        if span.kind == "bubble":
            share[_within(span, times_s)] = 1.0 - 1.0 / span.rate_frac
    return np.flatnonzero(rng.random(times_s.size) < share)


def bubble_events(n: int, rng: np.random.Generator, detectors: Sequence[Detector] = DETECTORS) -> F32:
    """Return what the detectors write of air: scatter of any size, and hardly any colour.

    Returns
    -------
    ndarray of float32, shape (n, 5 + n_detectors)
        The columns of `Panel.channel_names` but the time.
    """
    top = np.log10(CEILING)
    fsc, ssc = 10.0 ** rng.uniform(np.log10(TRIGGER_UNITS), top, n), 10.0 ** rng.uniform(4.0, top + 0.3, n)
    long = rng.uniform(1.0, 4.0, (2, n))
    dark = np.array([detector.electronic_sd_units for detector in detectors])
    colour = rng.exponential(60.0, (n, 1)) + 2.0 * dark * rng.standard_normal((n, dark.size))
    columns = np.column_stack([fsc, fsc / long[0], 65_536 * long[0], ssc, ssc / long[1], colour])
    columns[:, :5] = np.maximum(columns[:, :5], 0)
    return np.asarray(np.minimum(np.rint(columns), CEILING), dtype=np.float32)


def draw_carryover(
    found: Disturbance, n_events: int, times_s: F64, rate_per_s: F64, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return the events that are cells of the tube before: most come at once, none after ten seconds."""
    window = min(CARRYOVER_WINDOW_S, found.duration_s)
    whole = _CARRYOVER_DECAY_S * (1.0 - np.exp(-window / _CARRYOVER_DECAY_S))
    a_second = found.carryover_frac * n_events * np.exp(-times_s / _CARRYOVER_DECAY_S) / whole
    share = np.where(times_s < window, a_second / rate_per_s, 0.0)
    return np.flatnonzero(rng.random(times_s.size) < share)


def _clog(place: int, places: int, duration_s: float, rng: np.random.Generator) -> Span:
    """Draw a clog in its own part of the run, so that two never overlap."""
    length = duration_s * min(rng.uniform(*_CLOG_LENGTH), 0.8 / places)
    start = duration_s * place / places + (duration_s / places - length) * rng.random()
    return Span("clog", start, start + length, rng.uniform(*_CLOG_RATE), rng.uniform(*_CLOG_DECADES))


def _within(span: Span, times_s: F64) -> NDArray[np.bool_]:
    return np.asarray((times_s >= span.start_s) & (times_s < span.end_s))
