"""The bench on labelled real files: its baselines on made values, its arithmetic, a guard on what our gates find."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.labelled import rivals, tables
from benchmarks.labelled.scores import DENSITY, GMM, METHODS, TOOL, Row, f1, score
from benchmarks.labelled.sets import labelled_tubes
from tests.reference_data import DATA, needs_reference_data

GUARDED = ("Activation_8", "FlowCAP-I GvHD 003")


def row(**changes: object) -> Row:
    made = Row("set", "tube", False, "T cells", "t_cells", TOOL, drawn=100, found=80, right=72)
    return Row(**{**{name: getattr(made, name) for name in Row.__slots__}, **changes})


def two_peaks(n: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    high = np.arange(n) < share * n
    return np.where(high, rng.normal(0.7, 0.05, n), rng.normal(0.2, 0.05, n)), high


class TestBaselines:
    @pytest.mark.parametrize("gate", [rivals.gaussian_mixture, rivals.minimum_density])
    def test_two_clear_peaks_are_parted_from_either_side(self, gate) -> None:  # type: ignore[no-untyped-def]  # two kinds
        values, high = two_peaks(3000, 0.3)
        assert f1(high, gate(values[:, None], ["above"])) > 0.99
        assert f1(~high, gate(values[:, None], ["below"])) > 0.99

    def test_two_axes_ask_for_both(self) -> None:
        values, high = two_peaks(3000, 0.3)
        both = np.column_stack([values, values])
        assert not rivals.minimum_density(both, ["above", "below"]).any()
        assert f1(high, rivals.minimum_density(both, ["above", "above"])) > 0.99

    def test_the_cut_lies_between_the_peaks(self) -> None:
        assert 0.35 < rivals.density_cut(two_peaks(3000, 0.3)[0]) < 0.55

    def test_one_peak_is_cut_at_its_95th_percentile(self) -> None:
        values = np.random.default_rng(1).normal(0.3, 0.05, 20_000)
        assert (values > rivals.density_cut(values)).mean() == pytest.approx(0.05, abs=0.001)
        assert rivals.density_cut(np.full(100, 0.3)) == pytest.approx(0.3)

    @pytest.mark.parametrize("gate", [rivals.gaussian_mixture, rivals.minimum_density])
    def test_of_a_handful_nothing_is_found(self, gate) -> None:  # type: ignore[no-untyped-def]  # two kinds
        assert not gate(np.zeros((rivals.LEAST - 1, 1)), ["above"]).any()


class TestScores:
    def test_f1_by_hand(self) -> None:
        assert row().f1 == pytest.approx(2 * 72 / 180)
        assert row(drawn=0, found=0, right=0).f1 == 1.0
        assert row(found=0, right=0).f1 == 0.0

    def test_tried_tubes_are_in_no_figure(self) -> None:
        lines = tables.text([row(), row(tube="other", tried=True, found=0, right=0)]).splitlines()
        assert "set, 1 tubes" in lines[-2]
        assert "0.80 (0.80)" in lines[-1]
        assert max(map(len, lines)) <= 120

    def test_clusters_without_names_are_known_by_their_size(self) -> None:
        sizes = {"cluster 1": 50, "cluster 2": 9000, "cluster 3": 10}
        rows = [row(population=name, drawn=n, found=n, right=n) for name, n in sizes.items()]
        assert list(tables.medians(rows)) == ["second cluster", "largest cluster", "third cluster"]
        assert tables.text(rows).splitlines()[-1].split() == ["all,", "by", "their", "events", "1.00", "-", "-"]


@pytest.mark.soak
@needs_reference_data
class TestRealFiles:
    @pytest.fixture(scope="class")
    @staticmethod
    def rows() -> list[Row]:
        return [row for tube in labelled_tubes(DATA) if tube.name in GUARDED for row in score(tube)]

    def test_every_population_that_was_drawn_is_looked_for(self, rows: list[Row]) -> None:
        assert {row.tube for row in rows} == set(GUARDED)
        assert {row.method for row in rows} == set(METHODS)
        assert len({row.population for row in rows if row.method == TOOL}) == 8 + 4

    def test_cells_that_a_valley_parts_are_found_as_drawn(self, rows: list[Row]) -> None:
        found = {row.population: row.f1 for row in rows if row.method == TOOL}
        assert min(found[name] for name in ("T Cells", "CD4 T Cells", "CD8 T Cells")) >= 0.92
        assert min(found[name] for name in ("Single Cells", "Dead Cells")) >= 0.80
        assert sorted(found[f"cluster {k}"] for k in (1, 2, 3, 4))[1] >= 0.89

    def test_a_few_cells_in_the_tail_of_many_are_found_better_than_by_the_baselines(self, rows: list[Row]) -> None:
        rare = ("Dendritic Cells", "CD69+ CD4 T Cells", "CD69+ CD8 T Cells")
        ours, gmm, density = (
            np.mean([row.f1 for row in rows if row.method == method and row.population in rare])
            for method in (TOOL, GMM, DENSITY)
        )
        assert ours >= 0.65
        assert ours >= max(gmm, density) + 0.12
