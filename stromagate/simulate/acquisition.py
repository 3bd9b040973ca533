"""The run itself: an event rate that wanders, arrival times, and rare cells that come in bursts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F64
from stromagate.simulate.antigens import Codes
from stromagate.simulate.disturbances import Disturbance, disturbed, no_disturbance
from stromagate.simulate.populations import MSC, code_of

TIMESTEP_S = 0.01
"""``$TIMESTEP``: the Time column counts hundredths of a second."""
_BIN_S = 1.0
_BURST_S = 5.0
_BURST_SHAPE = 2.0
"""k of the negative binomial that counts of clumping MSC follow from one span to the next."""
_MEMORY, _WANDER = 0.95, 0.025


@dataclass(frozen=True, slots=True)
class Run:
    """Rate of one acquisition in bins of a second, whose edges are ``edges_s``, shape (n_bins + 1,).

    ``cumulative`` is the share of events that have come by the end of each bin, shape (n_bins + 1,); ``burst`` how much
    likelier an MSC is in each span of five seconds, shape (n_spans,). With clogs and bubbles the bins are of several
    lengths; ``disturbance`` says what happens in them.
    """

    edges_s: F64
    cumulative: F64
    rate_per_s: F64
    burst: F64
    disturbance: Disturbance


def plan_run(n_events: int, rate_per_s: float, rng: np.random.Generator, disturbance: Disturbance | None = None) -> Run:
    """Lay out an acquisition of ``n_events`` at about ``rate_per_s``: the log rate is an AR(1) process.

    Parameters
    ----------
    disturbance : Disturbance, optional
        What goes wrong meanwhile. Clogs make the run longer: outside them the rate stays what was asked for.
    """
    duration = max(n_events / rate_per_s, _BIN_S)
    n_bins = int(np.ceil(duration / _BIN_S))
    steps = rng.standard_normal(n_bins)
    log_rate = np.empty(n_bins)
    level = steps[0] * _WANDER / np.sqrt(1 - _MEMORY**2)
    for i in range(n_bins):
        level = _MEMORY * level + _WANDER * steps[i]
        log_rate[i] = level
    edges = np.linspace(0.0, duration, n_bins + 1)
    mass = np.exp(log_rate)
    found = disturbance or no_disturbance()
    if found.spans:
        edges, mass, found = disturbed(edges, mass, found)
        duration = float(edges[-1])
    cumulative = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    rates = n_events * np.diff(cumulative) / np.diff(edges)
    burst = rng.gamma(_BURST_SHAPE, 1 / _BURST_SHAPE, int(np.ceil(duration / _BURST_S)))
    return Run(edges, cumulative, rates, burst, replace(found, duration_s=duration))


def arrival_times_s(run: Run, part: tuple[float, float], n_events: int, rng: np.random.Generator) -> F64:
    """Return sorted arrival times of the events between two shares of the whole run, shape (n_events,), seconds."""
    start, end = part
    share = np.sort(start + (end - start) * rng.random(n_events))
    return np.interp(share, run.cumulative, run.edges_s)


def rate_at(run: Run, times_s: F64) -> F64:
    """Return the event rate at each time, shape (n_events,), events per second."""
    which = np.clip(np.searchsorted(run.edges_s, times_s, side="right") - 1, 0, run.rate_per_s.size - 1)
    return run.rate_per_s[which]


def clump(codes: Codes, times_s: F64, run: Run, rng: np.random.Generator) -> Codes:
    """Move MSC to the moments in which they come in bursts; how many there are does not change.

    Returns
    -------
    ndarray of uint8, shape (n_events,)
        The same particles in another order.
    """
    is_msc = np.isin(codes, [code_of(name) for name in MSC])
    n_msc = int(is_msc.sum())
    if n_msc == 0:
        return codes
    weight = run.burst[np.minimum((times_s / _BURST_S).astype(np.intp), run.burst.size - 1)]
    chosen: NDArray[np.intp] = np.sort(rng.choice(codes.size, n_msc, replace=False, p=weight / weight.sum()))
    moved = np.empty_like(codes)
    moved[chosen] = codes[is_msc]
    rest = np.ones(codes.size, dtype=np.bool_)
    rest[chosen] = False
    moved[rest] = codes[~is_msc]
    return moved
