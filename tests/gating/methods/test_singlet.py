"""The singlet band: doublets out, large and clipped cells in, few events honest."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stromagate.gating.method import Fit
from stromagate.gating.methods.singlet import Params, fit
from stromagate.model.gates import Polygon
from stromagate.model.sample import F64
from stromagate.model.scales import Scale
from tests.gating.methods.populations import FakePopulation

TOP = 262_143.0


def cells(n: int, seed: int, *, doublets: float = 0.06) -> tuple[F64, F64, NDArray[np.bool_]]:
    """Return area (1.15 times height, more for large cells), height, and which are doublets (1.4 to 2 times that)."""
    rng = np.random.default_rng(seed)
    height = rng.lognormal(np.log(60_000), 0.4, n)
    area = height * 1.15 * (height / 60_000) ** 0.05 * np.exp(rng.normal(0, 0.03, n))
    double = rng.random(n) < doublets
    area[double] *= rng.uniform(1.4, 2.0, int(double.sum()))
    return np.minimum(area, TOP), np.minimum(height, TOP), double


def run(area: F64, height: F64, params: Params | None = None) -> Fit:
    columns = {"FSC-A": area.astype(np.float32), "FSC-H": height.astype(np.float32)}
    return fit(FakePopulation(columns), params or Params(), np.random.default_rng(0))


def inside(fitted: Fit, area: F64, height: F64) -> NDArray[np.bool_]:
    """Decide by the crossing rule, written plainly and apart from the engine."""
    assert isinstance(fitted.geometry, Polygon), fitted.sentence
    found = np.zeros(area.size, dtype=bool)
    corners = fitted.geometry.vertices
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        crosses = (y0 > height) != (y1 > height)
        with np.errstate(divide="ignore", invalid="ignore"):
            found ^= crosses & (area < (x1 - x0) * (height - y0) / (y1 - y0) + x0)
    return found


@pytest.mark.parametrize("doublets", [0.0, 0.06, 0.25])
def test_keeps_singlets_and_drops_doublets(doublets: float) -> None:
    area, height, double = cells(60_000, 1, doublets=doublets)
    fitted = run(area, height)
    kept = inside(fitted, area, height)
    clipped = area >= TOP
    assert fitted.state == "fitted"
    assert kept[~double].mean() > 0.995
    if doublets:
        assert kept[double & ~clipped].mean() < 0.05


def test_loses_no_large_cell() -> None:
    """A hundred irregular cells at the top of the range, some at its ceiling, among doublets of everything else."""
    rng = np.random.default_rng(2)
    area, height, _ = cells(100_000, 2)
    large_height = rng.uniform(150_000, TOP, 100)
    large_area = np.minimum(large_height * 1.2 * np.exp(rng.normal(0, 0.05, 100)), TOP)
    fitted = run(np.concatenate([area, large_area]), np.concatenate([height, large_height]))
    assert inside(fitted, large_area, large_height).mean() >= 0.97


def test_the_band_never_folds_back() -> None:
    """Tall pulses of ragged ratio widen their part of the band; its edge must not turn to smaller areas for that."""
    area, height, _ = cells(60_000, 4)
    ragged = height > np.quantile(height, 0.93)
    area[ragged] *= np.exp(np.random.default_rng(1).normal(0, 0.25, int(ragged.sum())))
    fitted = run(area, height)
    assert isinstance(fitted.geometry, Polygon), fitted.sentence
    n = len(fitted.geometry.vertices) // 2
    for side in (fitted.geometry.vertices[:n], fitted.geometry.vertices[n:][::-1]):
        areas, heights = zip(*side, strict=True)
        assert list(heights) == sorted(heights)
        assert list(areas) == sorted(areas)


def test_few_events_use_one_ratio_and_say_so() -> None:
    area, height, double = cells(200, 3)
    fitted = run(area, height)
    assert fitted.state == "fallback"
    assert "200 events are few" in fitted.sentence
    assert inside(fitted, area, height)[~double].mean() > 0.95
    assert run(area[:19], height[:19]).state == "not_evaluable"


def test_follows_the_units_of_the_instrument() -> None:
    area, height, _ = cells(20_000, 4)
    plain = inside(run(area, height), area, height)
    scaled = inside(run(area / 100, height / 100), area / 100, height / 100)
    assert np.mean(plain != scaled) < 0.002


def test_wider_band_keeps_more() -> None:
    area, height, _ = cells(20_000, 5)
    kept = [inside(run(area, height, Params(mads=mads)), area, height).sum() for mads in (2.0, 4.0, 8.0)]
    assert kept == sorted(kept)
    assert kept[0] < kept[-1]


def test_on_other_scales_the_polygon_is_in_display_units() -> None:
    area, height, double = cells(20_000, 6)
    shown = {
        "FSC-A": (np.arcsinh(area / 100) / 10).astype(np.float32),
        "FSC-H": (np.arcsinh(height / 100) / 10).astype(np.float32),
    }
    scale = Scale("asinh", top=TOP)
    fitted = fit(FakePopulation(shown, scales={"FSC-A": scale, "FSC-H": scale}), Params(), np.random.default_rng(0))
    kept = inside(fitted, shown["FSC-A"].astype(float), shown["FSC-H"].astype(float))
    assert kept[~double].mean() > 0.99
    assert kept[double].mean() < 0.05


def test_spread_shrinks_with_events() -> None:
    small, large = run(*cells(2_000, 7)[:2]), run(*cells(50_000, 7)[:2])
    assert small.spread
    assert large.spread
    assert small.spread > 2 * large.spread


def test_the_same_axis_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="named twice"):
        Params(axes=("FSC-A", "FSC-A"))
