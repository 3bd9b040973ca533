"""Where negatives end: read off many events, and off a tail or a flank where they are few."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.gating import leaks
from stromagate.gating.controls import distribution
from stromagate.gating.leaks import SCARCE_EVENTS, SEEN_EVENTS, reached_by
from stromagate.model.sample import F32
from tests.gating.methods.stroma_tubes import population

ANY = population(np.arange(100, dtype=np.float32), "any")
FALSE_FRAC = 1 / 15_000


def negative(n: int, seed: int) -> F32:
    """Return leukocytes, and one in twenty that glows several times as bright, as plasma cells and monocytes do."""
    rng = np.random.default_rng([seed, 3])
    glowing = rng.random(n) < 0.05
    median, decades = np.where(glowing, 320.0, 72.0), np.where(glowing, 0.2, 0.13)
    glow = median * 10 ** (decades * rng.standard_normal(n))
    return (glow + 35 * rng.standard_normal(n)).astype(np.float32)


TRUE_END = float(np.quantile(negative(2_000_000, 0), 1 - FALSE_FRAC))


def ends(n: int, seeds: int = 15) -> list[float]:
    """Return where the negative is said to end by ``n`` events, in decades beyond its end."""
    found = [reached_by(distribution(negative(n, seed)), FALSE_FRAC * n, ANY, "CD146") for seed in range(1, seeds + 1)]
    return [float(np.log10(each / TRUE_END)) for each in found]


@pytest.mark.parametrize("n", [1_000, 2_000, 4_000])
def test_few_events_err_to_the_outside_and_not_into_stroma(n: int) -> None:
    """Stroma lies half a decade and more beyond the end of such a negative."""
    decades = ends(n)
    assert np.median(decades) > 0
    assert min(decades) > -0.15
    assert np.median(decades) < 0.5
    assert max(decades) < 0.65


def test_an_exponential_tail_alone_would_reach_into_stroma(monkeypatch: pytest.MonkeyPatch) -> None:
    with_flank = ends(1_000)
    monkeypatch.setattr(leaks, "SCARCE_EVENTS", 0)
    alone = ends(1_000)
    assert all(inner <= outer for inner, outer in zip(with_flank, alone, strict=True))
    assert np.median(alone) > 0.5
    assert np.median(alone) - np.median(with_flank) > 0.2


def test_many_events_are_near_the_end_and_off_their_own_tail() -> None:
    decades = ends(40_000)
    assert abs(np.median(decades)) < 0.1


def test_the_flank_is_asked_of_scarce_events_only() -> None:
    """Of a few beyond a wide gap, many events show a tail of their own; that of scarce ones is held by their flank."""
    far = np.full(60, 6_000, dtype=np.float32) * np.geomspace(1, 2, 60).astype(np.float32)

    def reached(n: int) -> float:
        values = distribution(np.concatenate([negative(n - 60, 1), far]))
        return reached_by(values, FALSE_FRAC * n, ANY, "CD146")

    assert reached(SCARCE_EVENTS) > 12_000
    assert reached(SCARCE_EVENTS - 1) >= np.sort(far)[-SEEN_EVENTS]


@given(st.integers(60, 6_000), st.integers(0, 50))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_fewer_allowed_events_never_lie_further_in(n: int, seed: int) -> None:
    values = distribution(negative(n, seed))
    allowed = (20.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03)
    found = [reached_by(values, each, ANY, "CD146") for each in allowed if each < n / 2]
    assert all(inner <= outer * (1 + 1e-9) for inner, outer in pairwise(found))


def test_values_that_are_all_the_same_end_where_they_are() -> None:
    same = distribution(np.full(1_000, 50, dtype=np.float32))
    assert reached_by(same, 0.1, ANY, "CD146") == pytest.approx(50)
