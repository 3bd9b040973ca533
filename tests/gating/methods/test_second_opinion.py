"""A second opinion moves nothing; where it differs with a consequence, sentence, spread and doubt say so."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from stromagate.gating.method import Fit, methods
from stromagate.model.gates import NOT_SEPARABLE, SECOND_OPINION, Interval
from stromagate.model.sample import F64
from tests.gating.methods.populations import one_axis


def run(values: F64, method: str, **given: Any) -> Fit:
    declared = methods.get(method)
    params = declared.params.model_validate({"axis": "CD271", **given})
    return declared.fit(one_axis(values, "CD271"), params, np.random.default_rng(0))


def both(values: F64, method: str, **given: Any) -> tuple[Fit, Fit]:
    return run(values, method, **given), run(values, method, second="shoulder", **given)


def two(k: int, distance: float, *, n: int = 100_000, wide: float = 0.0) -> F64:
    rng = np.random.default_rng(3)
    negative = rng.normal(0, 1, n)
    negative[: int(wide * n)] *= 2
    return np.concatenate([negative, rng.normal(distance, 0.7, k)])


@pytest.mark.parametrize("method", ["tail", "valley"])
@pytest.mark.parametrize("keep", ["above", "below"])
def test_where_both_agree_only_the_sentence_grows(method: str, keep: str) -> None:
    alone, asked = both(two(4_000, 8), method, keep=keep)
    assert asked.geometry == alone.geometry
    assert asked.spread == alone.spread
    assert asked.doubts == alone.doubts == ()
    assert re.fullmatch(re.escape(alone.sentence) + r"; second opinion: the valley at \S+ agrees", asked.sentence)


def test_a_cut_through_the_positives_is_contradicted() -> None:
    """Five deviations cut positives at four in half: the shoulder lies before them."""
    values = two(1_000, 4)
    alone, asked = both(values, "tail", keep="above")
    assert isinstance(asked.geometry, Interval)
    assert asked.geometry == alone.geometry
    assert asked.doubts == (SECOND_OPINION,)
    assert alone.spread is not None
    assert asked.spread is not None
    assert asked.spread > 0.3 > 4 * alone.spread
    told = re.search(
        r"second opinion differs: the shoulder at (\S+) would keep ([\d,]+) events instead of ([\d,]+)", asked.sentence
    )
    assert told
    at, would, kept = (float(group.replace(",", "")) for group in told.groups())
    values32 = values.astype(np.float32)
    assert kept == np.count_nonzero(values32 >= (asked.geometry.low or 0))
    assert would == pytest.approx(np.count_nonzero(values32 >= at), rel=0.02)


def test_no_shoulder_is_no_contradiction() -> None:
    alone, asked = both(two(0, 8), "tail", keep="above")
    assert asked.doubts == alone.doubts == ()
    assert "second opinion: none, the density falls away" in asked.sentence


def test_doubts_of_the_method_are_kept() -> None:
    _, asked = both(two(0, 8, wide=0.05), "tail", keep="above")
    assert NOT_SEPARABLE in asked.doubts


def test_a_gate_that_is_not_placed_asks_nobody() -> None:
    alone, asked = both(two(0, 8), "valley", keep="above")
    assert asked == alone
    assert asked.doubts == (NOT_SEPARABLE,)
