"""A trained gate that fits the fake populations: the second of two clouds, learned from three invented donors."""

from __future__ import annotations

from typing import Any

from stromagate.model.classifier import Classifier, DonorScore, TrainedAxis, TrainedOn, TrainingTube
from tests.gating.methods.populations import ASINH


def document(**changes: Any) -> Classifier:
    """Return a sealed document; fields may be given otherwise."""
    donors = ("d1", "d2", "d3")
    values: dict[str, Any] = {
        "stromagate": "0.1.0",
        "template": TrainedOn(name="small", version="1.0.0", sha256="0" * 64),
        "population": "msc",
        "parent": "parent",
        "gain": "apply",
        "axes": (
            TrainedAxis(axis="CD45", scale=ASINH, compensated=True, parent_median=0.22, parent_sd=0.01),
            TrainedAxis(axis="CD271", scale=ASINH, compensated=True, parent_median=0.26, parent_sd=0.01),
        ),
        "mean": (0.6, 0.3),
        "covariance": ((0.0036, 0.0), (0.0, 0.0036)),
        "distance_squared": 9.0,
        "spread": 0.004,
        "goal": "f1",
        "tubes": tuple(
            TrainingTube(sha256=f"{i:064x}", donor=name, n_parent=9_000, n_members=40, by_hand=i == 0)
            for i, name in enumerate(donors)
        ),
        "held_out": tuple(
            DonorScore(donor=name, n_members=40, found=38, false_events=2.0, precision=0.95, recall=0.95, f1=0.95)
            for name in donors
        ),
        "f1_median": 0.95,
        "f1_worst": 0.95,
    }
    return Classifier(**{**values, **changes}).sealed()
