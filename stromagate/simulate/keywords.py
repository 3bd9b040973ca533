"""What a simulated file says of itself: the keywords an analyser writes, and that no cell was ever in it."""

from __future__ import annotations

import datetime as dt

from stromagate.simulate.acquisition import TIMESTEP_S
from stromagate.simulate.instrument import PMT_POWER, Instrument
from stromagate.simulate.marrow import preparation
from stromagate.simulate.panel import CEILING, SCATTER
from stromagate.simulate.scatter import TRIGGER_UNITS
from stromagate.simulate.tube import Tube

SIMULATED = "STROMAGATE_SIMULATED"
PREPARATION = "STROMAGATE_PREPARATION"

SIMULATOR_VERSION = "1"
"""Raised when the same order makes other events; not the version of the package, whose releases leave tubes alone."""

# A fixed day: the same tube is the same bytes whenever it is made.
_START = dt.datetime(2025, 1, 15, 10, 0, 0, tzinfo=dt.UTC)
_SCATTER_VOLTS = {"FSC": 420, "SSC": 260}


def tube_keywords(tube: Tube, file_name: str) -> dict[str, str]:
    """Return all keywords of a tube's file beyond what the writer adds itself (sizes, offsets, names)."""
    order = tube.order
    start = _START + dt.timedelta(days=order.day)
    duration_s = float(tube.events[-1, -1]) * TIMESTEP_S
    return {
        "$CYT": "stromagate simulator",
        "$CYTSN": "0",
        "$FIL": file_name,
        "$SMNO": order.sample_id,
        "$SRC": order.donor,
        "$COM": f"Synthetic events; no cell and no person stands behind them. {preparation(order.prepared).title}",
        "$DATE": f"{start:%d-%b-%Y}".upper(),
        "$BTIM": _clock(0.0),
        "$ETIM": _clock(duration_s),
        "$TIMESTEP": f"{TIMESTEP_S:g}",
        "$TR": f"FSC-A,{round(TRIGGER_UNITS * tube.instrument.scatter_gain)}",
        "$SPILLOVER": spillover_text(tube.instrument),
        **_channel_keywords(tube.instrument, tube.panel.channel_names()),
        "EXPERIMENT NAME": order.batch,
        "TUBE NAME": order.role,
        SIMULATED: "yes",
        "STROMAGATE_SIMULATOR": SIMULATOR_VERSION,
        "STROMAGATE_SCENARIO": order.scenario.name,
        "STROMAGATE_SEED": str(order.seed),
        PREPARATION: order.prepared,
        **({} if order.family == "a" else {"STROMAGATE_FAMILY": order.family}),
    }


def spillover_text(instrument: Instrument) -> str:
    """Return the matrix that the file states as the value of ``$SPILLOVER``."""
    cells = [f"{share:.6g}" for row in instrument.stated.tolist() for share in row]
    names = [detector.pnn for detector in instrument.detectors]
    return ",".join([str(len(names)), *names, *cells])


def _channel_keywords(instrument: Instrument, names: tuple[str, ...]) -> dict[str, str]:
    volts = {detector.pnn: detector.voltage for detector in instrument.detectors}
    scatter_factor = instrument.scatter_gain ** (1 / PMT_POWER)
    volts |= {name: round(_SCATTER_VOLTS[name[:3]] * scatter_factor) for name in SCATTER}
    words: dict[str, str] = {}
    for number, name in enumerate(names, start=1):
        words[f"$P{number}R"] = str(CEILING + 1)
        if name in volts:
            words[f"$P{number}G"] = "1"
            words[f"$P{number}V"] = str(volts[name])
    return words


def _clock(after_s: float) -> str:
    moment = _START + dt.timedelta(seconds=after_s)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 10_000:02d}"
