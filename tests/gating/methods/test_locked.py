"""The boundary of earlier batches between two references: gain and offset leave it; nothing is locked to nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.gating.method import Fit, Outside
from stromagate.gating.methods.locked import METHOD, Params
from stromagate.model.gates import Interval
from stromagate.model.locks import LockedBoundary, LockedTube, Locks
from stromagate.model.sample import F32
from tests.gating.methods.populations import ASINH, FakePopulation
from tests.gating.methods.stroma_tubes import display


def history(ways: dict[str, list[float]], **names: str) -> Locks:
    """Return locks of tubes whose boundary lay at these parts of the way, batch by batch."""
    tubes = [
        LockedTube(
            batch=batch, sample_id=f"{batch}-{i}", sha256="00", cut=100 + 9_900 * way, negative=100, positive=10_000
        )
        for batch, some in ways.items()
        for i, way in enumerate(some)
    ]
    named = {"population": "msc", "axis": "CD271", "negative": "t_cells", "positive": "endothelium", **names}
    return Locks(
        template="any",
        template_sha256="00",
        boundaries=(LockedBoundary(**named, tubes=tuple(tubes)),),  # type: ignore[arg-type]
    )


FIVE = {"b1": [0.10], "b2": [0.11, 0.13], "b3": [0.12], "b4": [0.13], "b5": [0.10]}


def references(gain: float = 1.0, offset: float = 0.0, seed: int = 1, n: int = 2_000) -> dict[str, F32]:
    rng = np.random.default_rng(seed)
    negative = rng.normal(120, 40, n)
    positive = rng.lognormal(np.log(9_000), 0.3, n)
    return {
        "t_cells": (gain * negative + offset).astype(np.float32),
        "endothelium": (gain * positive + offset).astype(np.float32),
    }


def fitted(locks: Locks | None, known: dict[str, F32] | None = None, seed: int = 1, **params: object) -> Fit:
    known = known or references()
    others = {
        name: FakePopulation({"CD271": display(values)}, name, {"CD271": ASINH}) for name, values in known.items()
    }
    parent = FakePopulation(
        {"CD271": np.zeros(50, dtype=np.float32)}, "stroma", {"CD271": ASINH}, others, Outside(locks=locks)
    )
    given = {
        "axis": "CD271",
        "keep": "above",
        "boundary": "msc",
        "negative": "t_cells",
        "positive": "endothelium",
        **params,
    }
    return METHOD.fit(parent, Params.model_validate(given), np.random.default_rng(seed))


def cut(fit: Fit) -> float:
    assert isinstance(fit.geometry, Interval), fit.sentence
    assert fit.geometry.low is not None
    return float(np.sinh(10 * fit.geometry.low) * 100)


def test_the_cut_lies_where_it_lay() -> None:
    """Batch medians are 0.10, 0.12, 0.12, 0.13 and 0.10: the median of these, not of the tubes."""
    known = references()
    low, high = (float(np.median(known[name])) for name in ("t_cells", "endothelium"))
    fit = fitted(history(FIVE))
    assert cut(fit) == pytest.approx(low + 0.12 * (high - low), rel=1e-3)
    assert fit.state == "fitted"
    assert "12 % of the way" in fit.sentence
    assert fit.source == "locked over 5 batches, 6 tubes"


@given(st.floats(0.3, 4), st.floats(-80, 300))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_gain_and_offset_carry_the_cut_along(gain: float, offset: float) -> None:
    plain = cut(fitted(history(FIVE)))
    moved = cut(fitted(history(FIVE), references(gain, offset)))
    assert moved == pytest.approx(gain * plain + offset, rel=2e-3, abs=1)


def test_only_the_last_batches_count() -> None:
    old = {f"old{i}": [0.5] for i in range(6)}
    assert cut(fitted(history({**old, **FIVE}), batches=5)) == cut(fitted(history(FIVE)))
    assert cut(fitted(history({**old, **FIVE}), batches=11)) > 2 * cut(fitted(history(FIVE)))


@pytest.mark.parametrize(
    ("locks", "words"),
    [
        (None, "no boundaries of earlier batches were given"),
        (history({"b1": [0.1], "b2": [0.1] * 9}), "2 earlier batches are too few (at least 3)"),
        (history(FIVE, population="other"), "hold no boundary of msc on CD271"),
        (history(FIVE, axis="CD146"), "hold no boundary of msc on CD271"),
        (history(FIVE, positive="b_cells"), "were measured by t_cells and b_cells"),
    ],
)
def test_what_is_not_locked_is_not_evaluable(locks: Locks | None, words: str) -> None:
    fit = fitted(locks)
    assert fit.state == "not_evaluable"
    assert words in fit.sentence


def test_a_tube_with_reversed_references_is_no_history() -> None:
    locks = history(FIVE)
    first = locks.boundaries[0]
    reversed_ = [tube.model_copy(update={"negative": tube.positive, "positive": tube.negative}) for tube in first.tubes]
    none = locks.model_copy(update={"boundaries": (first.model_copy(update={"tubes": tuple(reversed_)}),)})
    assert "0 earlier batches are too few" in fitted(none).sentence


def test_few_reference_events_are_not_evaluable() -> None:
    fit = fitted(history(FIVE), references(n=30))
    assert "30 events of t_cells are too few to measure by (at least 50)" in fit.sentence


def test_references_that_coincide_tell_no_way() -> None:
    known = references()
    fit = fitted(history(FIVE), {**known, "endothelium": known["t_cells"] + np.float32(1)})
    assert fit.state == "not_evaluable"
    assert "tell no way from one to the other" in fit.sentence


def test_the_spread_holds_batches_and_references() -> None:
    steady = {f"b{i}": [0.12] for i in range(5)}
    sure, unsure = fitted(history(steady)), fitted(history(FIVE))
    few = fitted(history(steady), references(n=60))
    assert sure.spread is not None
    assert unsure.spread is not None
    assert few.spread is not None
    assert sure.spread < few.spread
    assert sure.spread < unsure.spread
    # The deviation of 0.10, 0.12, 0.12, 0.13 and 0.10 by their MAD is 0.0148, of a way of 8,900 units: 132.
    low, high = (np.arcsinh((cut(unsure) + sign * 132) / 100) / 10 for sign in (-1, 1))
    assert unsure.spread == pytest.approx((high - low) / 2, rel=0.1)
