"""The truth of one tube in numbers: true counts and rates, and everything that was wrong with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from stromagate.simulate.cd146_truth import cd146_report, denominators
from stromagate.simulate.panel import DETECTORS
from stromagate.simulate.populations import ALL_NAMES
from stromagate.simulate.residuals import FAMILIES
from stromagate.simulate.spike_in import Spiked
from stromagate.simulate.truth import TRUTH_COLUMNS, Truth, count_rows
from stromagate.simulate.truth_table import FLAGS
from stromagate.simulate.tube import Tube

FORMAT = "stromagate.truth/1"
_STROMA = ("msc", "msc_cd146neg", "progenitors", "endothelium", "cd146_only")


def tube_report(tube: Tube) -> dict[str, Any]:
    """Return what is true of a simulated tube, as one JSON object."""
    order, run, instrument = tube.order, tube.run, tube.instrument
    found = run.disturbance
    names = [detector.pnn for detector in tube.panel.detectors]
    return {
        "format": FORMAT,
        "sample_id": order.sample_id,
        "role": order.role,
        "donor": order.donor,
        "batch": order.batch,
        "preparation": order.prepared,
        "seed": order.seed,
        "family": order.family,
        "panel": order.panel,
        "day": order.day,
        "family_title": FAMILIES[order.family],
        "scenario": asdict(order.scenario),
        "msc_ppm_of_marrow": round(tube.marrow.msc_ppm, 3),
        "counts": _counts(tube.truth, order.sample_id),
        "denominators": denominators(tube.truth),
        "cd146_of_msc": cd146_report(tube),
        "events": _flagged(tube.truth),
        "run": {
            "duration_s": round(float(run.edges_s[-1]), 3),
            "spans": [asdict(span) for span in found.spans],
            "drift_decades": _named(names, found.drift_decades.tolist()),
        },
        "instrument": {
            "gain_decades": _named(names, np.log10(instrument.gain).round(6).tolist()),
            "autofluorescence_factor": round(instrument.autofluorescence, 6),
            "scatter_gain": instrument.scatter_gain,
            "compensated": instrument.compensated,
            "detectors": names,
            "true_matrix": instrument.true_matrix.round(8).tolist(),
            "stated_matrix": instrument.stated.round(8).tolist(),
        },
    }


def spiked_report(spiked: Spiked) -> dict[str, Any]:
    """Return what is true of a real tube with simulated stroma; of its own events nothing is known."""
    order, background = spiked.order, spiked.background
    n_background = background.sample.n_events
    counts = _counts(spiked.truth, order.sample_id)
    carried = {background.sample.pnn[column]: DETECTORS[place].marker for column, place in background.carries.items()}
    return {
        "format": FORMAT,
        "sample_id": order.sample_id,
        "role": "stained",
        "seed": order.seed,
        "family": order.family,
        "scenario": asdict(order.scenario),
        "background": {
            "file": order.background.name,
            "n_events": n_background,
            "markers": carried,
            "simulated": list(spiked.simulated),
            "scale_from": background.reference,
            "units_to_one_of_ours": _named(background.sample.pnn, background.factor.round(6).tolist()),
        },
        "counts": {
            name: {
                "particles": counts[name]["particles"],
                "viable_singlets": counts[name]["viable_singlets"],
                "per_million_background_events": round(1e6 * counts[name]["particles"] / n_background, 3),
            }
            for name in _STROMA
        },
        "events": _flagged(spiked.truth),
    }


def _counts(truth: Truth, sample_id: str) -> dict[str, dict[str, Any]]:
    rows = count_rows(sample_id, truth)
    named = {str(row[1]): dict(zip(TRUTH_COLUMNS[2:], row[2:], strict=True)) for row in rows}
    return {name: {key: None if value == "" else value for key, value in row.items()} for name, row in named.items()}


def _flagged(truth: Truth) -> dict[str, int]:
    counts = {name: int((truth.flags & np.uint8(bit) > 0).sum()) for name, bit in FLAGS.items()}
    return {"all": int(truth.primary.size), "known": int((truth.primary < len(ALL_NAMES)).sum()), **counts}


def _named(names: Any, values: list[float]) -> dict[str, float]:
    return dict(zip(names, values, strict=True))
