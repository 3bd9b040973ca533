"""The steady stretches of acquisition: where flow rate or signals leave their usual level, time is cut out."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from pydantic import Field

from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.steadiness import (
    Flags,
    Stretches,
    lasting,
    part,
    runs,
    runs_backwards,
    unsteady_rate,
    unsteady_signal,
)
from stromagate.gating.wording import listed, number, share
from stromagate.model.gates import MEASURED, Boolean, Spans
from stromagate.model.sample import F32, F64
from stromagate.model.template import AxisName, GateParams


class Params(GateParams):
    """Time axis, signals looked at, and what counts as unsteady."""

    axis: AxisName = Field("Time", description="The time axis.")
    bins: int | None = Field(
        None, ge=10, le=5000, description="Stretches of acquisition; null: of about 500 events, 50 to 400."
    )
    signals: tuple[AxisName, ...] = Field((), description="Axes looked at; empty: all that the tube carries.")
    mads: float = Field(5.0, gt=0, le=50, description="Robust deviations from the usual level that count as unsteady.")
    min_run: int = Field(2, ge=1, le=50, description="Fewest unsteady stretches in a row that are cut out.")
    min_events: int = Field(2000, ge=100, description="Fewest events; below, everything is kept and that is said.")
    max_removed_frac: float = Field(0.2, gt=0, lt=1, description="Share removed above which the sentence warns (0-1).")

    def axes_used(self) -> tuple[str, ...]:
        """Time, and the signals that are named."""
        return (self.axis, *self.signals)


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Find unsteady stretches and return the others; keep everything where time cannot be judged, and say so."""
    if parent.n == 0:
        return not_evaluable(f"{params.axis} not judged: there are no events")
    if params.axis not in parent.axes:
        return _all_kept(f"the tube has no axis {params.axis}")
    time = parent.display(params.axis)
    usable = np.flatnonzero(np.isfinite(time))
    stretches = _parted(time[usable], params)
    if isinstance(stretches, str):
        return _all_kept(stretches)
    rate_flags, rates = unsteady_rate(stretches, params.mads)
    every = [axis for axis in parent.axes if not axis.endswith(MEASURED)]
    names = [axis for axis in params.signals or every if axis != params.axis and axis in parent.axes]
    signal_flags = {
        axis: unsteady_signal(stretches, parent.linear(axis)[usable], params.mads) for axis in dict.fromkeys(names)
    }
    cut = lasting(np.logical_or.reduce([rate_flags, *signal_flags.values()]), params.min_run)
    if cut.all():
        return _all_kept("there is no steady stretch")
    spans = tuple((float(stretches.borders[a]), float(stretches.borders[b])) for a, b in runs(~cut))
    return Fit(Spans(params.axis, spans), _sentence(params, stretches, cut, rates, rate_flags, signal_flags))


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    signals = listed(params.signals, "and") if params.signals else "all signals"
    return f"{params.axis} where the flow rate and {signals} are steady"


def _parted(time: F32, params: Params) -> Stretches | str:
    """Part time into stretches, or say in a few words why it cannot be judged."""
    if time.size < params.min_events:
        return f"{time.size:,} events are too few (at least {params.min_events})"
    if runs_backwards(time):
        return f"{params.axis} runs backwards, as in joined or sorted files"
    return part(time, params.bins) or f"{params.axis} has too few different values"


def _all_kept(reason: str) -> Fit:
    # The events in none of no populations are all of them, whatever their time.
    return Fit(Boolean("none", ()), f"steadiness not judged, all events kept: {reason}", "fallback")


def _sentence(
    params: Params,
    stretches: Stretches,
    cut: Flags,
    rates: F64,
    rate_flags: Flags,
    signal_flags: dict[str, Flags],
) -> str:
    if not cut.any():
        return f"{params.axis} is steady over {stretches.counts.size} stretches: nothing cut out"
    removed = float(stretches.counts[cut].sum() / stretches.counts.sum())
    places = [_stretch(stretches, span, rates, rate_flags, signal_flags) for span in runs(cut)]
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    warning = f"; more than {share(params.max_removed_frac)}: check the acquisition"
    return (
        f"{share(removed)} of the events cut out of {params.axis}: {'; '.join(places[:3])}{more}"
        f"{warning if removed > params.max_removed_frac else ''}"
    )


def _stretch(
    stretches: Stretches, span: tuple[int, int], rates: F64, rate_flags: Flags, signal_flags: dict[str, Flags]
) -> str:
    start, stop = span
    causes = []
    if rate_flags[start:stop].any():
        unusual = rates[start:stop][rate_flags[start:stop]]
        causes.append(f"flow rate at {share(float(np.median(unusual)))} of the usual")
    shifted = [axis for axis, flags in signal_flags.items() if flags[start:stop].any()]
    if shifted:
        named = listed(shifted, "and") if len(shifted) <= 4 else f"{len(shifted)} signals"
        causes.append(f"{named} shifted")
    return f"{number(stretches.borders[start])} to {number(stretches.borders[stop])} ({', '.join(causes)})"


METHOD = GatingMethod(Params, fit, explain, "Cut out stretches of time with an unusual flow rate or unusual signals.")
