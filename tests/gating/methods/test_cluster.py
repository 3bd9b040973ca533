"""The cluster: the one that lab words name, on any voltages; and refusal where nothing tells which it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import f as f_distribution

from stromagate.gating.geometry import contains
from stromagate.gating.method import Fit
from stromagate.gating.methods.cluster import Params, explain, fit
from stromagate.model.gates import NOT_SEPARABLE, Ellipse
from stromagate.model.sample import F64
from stromagate.simulate import TubeOrder, scenario, simulate_tube
from tests.gating.methods.populations import FakePopulation

LYMPHOCYTES = [{"axis": "SSC-A", "which": "low"}, {"axis": "CD45", "which": "brightest"}]
MONOCYTES = [*LYMPHOCYTES[:1], {"axis": "CD45", "which": "bright"}, {"axis": "SSC-A", "which": "highest"}]
GRANULOCYTES = [{"axis": "SSC-A", "which": "high"}, {"which": "largest"}]
IMMATURE = [*LYMPHOCYTES[:1], {"axis": "CD45", "which": "dim"}, {"which": "largest"}]

# Share, CD45 (display), SSC (scale units), widths of both; granulocytes are skewed on side scatter.
CELLS = {
    "lymphocytes": (0.20, 0.76, 20_000, 0.027, 0.16),
    "monocytes": (0.07, 0.72, 55_000, 0.030, 0.20),
    "granulocytes": (0.65, 0.64, 118_000, 0.045, 0.24),
    "immature": (0.08, 0.50, 25_000, 0.045, 0.22),
}


def marrow(n: int = 5_000, seed: int = 0) -> tuple[FakePopulation, np.ndarray[Any, Any]]:
    """Return a population on CD45 and SSC-A, and the name of every event."""
    rng = np.random.default_rng(seed)
    names = rng.choice(list(CELLS), n, p=[share for share, *_ in CELLS.values()])
    table = np.array([CELLS[name][1:] for name in names])
    cd45 = rng.normal(table[:, 0], table[:, 2])
    ssc = table[:, 1] * np.exp(rng.normal(0, 1, n) * table[:, 3])
    return of({"CD45": cd45, "SSC-A": ssc}), names


def of(values: dict[str, F64]) -> FakePopulation:
    return FakePopulation({axis: column.astype(np.float32) for axis, column in values.items()})


def run(population: FakePopulation, seed: int = 0, **given: object) -> Fit:
    return fit(population, Params.model_validate({"axes": ["CD45", "SSC-A"], **given}), np.random.default_rng(seed))


def members(fitted: Fit, population: FakePopulation) -> np.ndarray[Any, Any]:
    assert isinstance(fitted.geometry, Ellipse), fitted.sentence
    columns = [population.values[axis].astype(np.float64) for axis in fitted.geometry.axes]
    return contains(fitted.geometry, np.stack(columns, axis=1))


def f1(inside: np.ndarray[Any, Any], true: np.ndarray[Any, Any]) -> float:
    return float(2 * (inside & true).sum() / (inside.sum() + true.sum()))


@pytest.mark.parametrize(
    ("name", "pick"),
    [
        ("lymphocytes", LYMPHOCYTES),
        ("monocytes", MONOCYTES),
        ("granulocytes", GRANULOCYTES),
        ("immature", IMMATURE),
    ],
)
def test_lab_words_name_the_cells(name: str, pick: list[dict[str, str]]) -> None:
    population, names = marrow()
    fitted = run(population, pick=pick)
    assert f1(members(fitted, population), names == name) > 0.85
    assert fitted.spread is not None
    assert 0 < fitted.spread < 0.02
    assert "the one of 4 with" in fitted.sentence


def test_other_voltages_give_the_same_cells() -> None:
    population, _ = marrow()
    other = of({"CD45": population.values["CD45"] * 0.8 - 0.2, "SSC-A": population.values["SSC-A"] * 0.4 + 3_000})
    here, there = (members(run(each, pick=MONOCYTES), each) for each in (population, other))
    assert 0.03 < here.mean() < 0.1
    assert (here != there).mean() < 0.001


def test_outliers_do_not_move_it() -> None:
    population, _ = marrow()
    rng, n = np.random.default_rng(1), population.n
    strewn = of(
        {
            "CD45": np.concatenate([population.values["CD45"], rng.uniform(-0.5, 1.2, n // 20)]),
            "SSC-A": np.concatenate([population.values["SSC-A"], rng.uniform(0, 262_143, n // 20)]),
        }
    )
    clean, dirty = (run(each, pick=LYMPHOCYTES).geometry for each in (population, strewn))
    assert isinstance(clean, Ellipse)
    assert isinstance(dirty, Ellipse)
    assert dirty.mean == pytest.approx(clean.mean, rel=0.02)
    assert dirty.covariance[1][1] == pytest.approx(clean.covariance[1][1], rel=0.3)


def test_the_ellipse_is_a_quantile_and_ends_where_others_begin() -> None:
    population, _ = marrow()
    free = run(population, pick=LYMPHOCYTES, quantile=0.6, probability=0).geometry
    wide = run(population, pick=MONOCYTES, quantile=0.99, probability=0, min_purity=0.1).geometry
    ended = run(population, pick=MONOCYTES, quantile=0.99).geometry
    assert isinstance(free, Ellipse)
    assert free.distance_squared == pytest.approx(2 * f_distribution.ppf(0.6, 2, 4))
    assert isinstance(wide, Ellipse)
    assert isinstance(ended, Ellipse)
    assert ended.distance_squared < wide.distance_squared


def test_a_skewed_cloud_is_one_cluster() -> None:
    rng = np.random.default_rng(0)
    population = of({"CD45": rng.normal(0.6, 0.05, 4_000), "SSC-A": 90_000 * np.exp(rng.normal(0, 0.4, 4_000))})
    fitted = run(population, pick=[{"which": "largest"}], clusters=[1, 8])
    assert "the one of 1 with" in fitted.sentence
    assert members(fitted, population).mean() > 0.85


def test_fewer_clusters_than_asked_for_are_not_separable() -> None:
    rng = np.random.default_rng(0)
    population = of({"CD45": rng.normal(0.6, 0.05, 3_000), "SSC-A": rng.normal(50_000, 5_000, 3_000)})
    fitted = run(population, pick=LYMPHOCYTES)
    assert fitted.state == "not_evaluable"
    assert NOT_SEPARABLE in fitted.sentence
    assert fitted.doubts == (NOT_SEPARABLE,)
    assert "1 cluster is to be told apart (at least 2)" in fitted.sentence


def test_more_clusters_than_asked_for_are_taken_together() -> None:
    population, names = marrow()
    fitted = run(population, pick=[{"axis": "SSC-A", "which": "highest"}], clusters=2, min_purity=0.5)
    assert "the one of 2 with" in fitted.sentence
    assert members(fitted, population)[names == "granulocytes"].mean() > 0.8


def test_one_cluster_that_is_left_names_nothing() -> None:
    """Without monocytes the lymphocytes are the one cluster both low and bright: they must not pass for monocytes."""
    population, names = marrow()
    without = of({axis: column[names != "monocytes"] for axis, column in population.values.items()})
    fitted = run(without, pick=MONOCYTES)
    assert fitted.state == "not_evaluable"
    assert "nothing to compare it with" in fitted.sentence


def test_no_cluster_with_these_words_is_said() -> None:
    population, names = marrow()
    without = of({axis: column[names != "immature"] for axis, column in population.values.items()})
    dim_and_low = [*IMMATURE[:1], {"axis": "CD45", "which": "dim"}, {"axis": "SSC-A", "which": "lowest"}]
    fitted = run(without, pick=dim_and_low)
    assert fitted.state == "not_evaluable"
    assert "clusters has low SSC-A, dim CD45 and lowest SSC-A" in fitted.sentence


def test_a_cluster_that_others_fill_is_refused() -> None:
    population, _ = marrow()
    fitted = run(population, pick=MONOCYTES, min_purity=0.99)
    assert fitted.state == "not_evaluable"
    assert "explains only" in fitted.sentence
    assert fitted.doubts == (NOT_SEPARABLE,)


def test_nearest_and_three_axes() -> None:
    rng = np.random.default_rng(0)
    population, names = marrow()
    cd14 = np.where(names == "monocytes", rng.normal(0.6, 0.05, population.n), rng.normal(0.1, 0.05, population.n))
    three = of({**population.values, "CD14": cd14})
    fitted = run(three, axes=["CD45", "SSC-A", "CD14"], nearest=[0.7, 50_000, 0.6], quantile=0.9)
    assert isinstance(fitted.geometry, Ellipse)
    assert len(fitted.geometry.covariance) == 3
    assert f1(members(fitted, three), names == "monocytes") > 0.95


def test_spread_is_what_repetition_shows() -> None:
    fits = [run(marrow(1_500, seed)[0], seed, pick=LYMPHOCYTES) for seed in range(8)]
    ends = []
    for each in fits:
        assert isinstance(each.geometry, Ellipse)
        ends.append(each.geometry.mean[0] + np.sqrt(each.geometry.distance_squared * each.geometry.covariance[0][0]))
    said = float(np.mean([each.spread for each in fits if each.spread is not None]))
    assert 0.4 < said / float(np.std(ends, ddof=1)) < 2.5


def test_values_on_a_line_are_refused() -> None:
    x = np.random.default_rng(0).normal(0, 1, 1_000)
    fitted = run(of({"CD45": x, "SSC-A": x}), pick=[{"which": "largest"}])
    assert fitted.state == "not_evaluable"
    assert "on a line" in fitted.sentence


def test_lymphocytes_and_granulocytes_of_simulated_marrow() -> None:
    """CD45 as measured, on a logarithmic scale: no compensation is needed to tell these apart."""
    tube = simulate_tube(TubeOrder(scenario("healthy"), "t", "donor3", n_events=12_000, seed=3), workers=1)
    ssc = tube.events[:, tube.panel.channel_names().index("SSC-A")].astype(np.float64)
    stain = tube.events[:, tube.panel.channel_labels().index("CD45")].astype(np.float64)
    cd45 = np.log10(np.maximum(stain, 10))
    leukocytes = tube.truth.viable_singlet & (cd45 > 2.8)
    population = of({"CD45": cd45[leukocytes], "SSC-A": ssc[leukocytes]})
    truth = {
        "lymphocytes": tube.truth.is_one_of("t_cell", "t_cell_cd146", "b_cell")[leukocytes],
        "granulocytes": tube.truth.is_one_of("neutrophil", "eosinophil", "myeloid_precursor")[leukocytes],
    }
    for name, pick in (("lymphocytes", LYMPHOCYTES), ("granulocytes", GRANULOCYTES)):
        assert f1(members(run(population, pick=pick), population), truth[name]) > 0.9, name


def test_explain_says_the_rules() -> None:
    clause = explain(Params.model_validate({"axes": ["CD45", "SSC-A"], "pick": LYMPHOCYTES}))
    assert "low SSC-A and brightest CD45" in clause
    assert "nearest to (1, 2)" in explain(Params.model_validate({"axes": ["CD45", "SSC-A"], "nearest": [1, 2]}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give `pick` or `nearest`"),
        ({"pick": LYMPHOCYTES, "nearest": [1, 1]}, "give `pick` or `nearest`"),
        ({"nearest": [1]}, "needs one value an axis"),
        ({"axes": ["CD45", "CD45"], "nearest": [1, 1]}, "named twice"),
        ({"axes": ["CD45"], "nearest": [1]}, "at least 2"),
        ({"axes": ["A", "B", "C", "D"], "nearest": [1, 1, 1, 1]}, "at most 3"),
        ({"pick": [{"axis": "CD3", "which": "highest"}]}, "none of the `axes`"),
        ({"pick": [{"axis": "CD45", "which": "low"}]}, "must leave one cluster"),
        ({"pick": [{"which": "largest"}, {"axis": "CD45", "which": "lowest"}]}, "only the last rule"),
        ({"pick": [{"which": "lowest"}]}, "needs an `axis`"),
        ({"pick": [{"axis": "CD45", "which": "largest"}]}, "needs an `axis`"),
        ({"nearest": [1, 1], "clusters": [4, 2]}, "the fewest first"),
        ({"nearest": [1, 1], "clusters": 9}, "from 1 to 8"),
        ({"nearest": [1, 1], "freedom": 0.5}, "from 1 to 200"),
        ({"nearest": [1, 1], "shape": "normal", "freedom": 7}, "have no `freedom`"),
    ],
)
def test_contradictions_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Params.model_validate({"axes": ["CD45", "SSC-A"], **given})
