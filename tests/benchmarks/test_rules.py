"""What keeps the figures honest: apart seeds, warnings that do not excuse everything, rivals with a fair chance."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmarks.accuracy import __main__ as command
from benchmarks.accuracy import controls, plan, rivals, seeds, warnings
from stromagate.model.gates import Boolean, GateNode, GateTree, Interval


def node(name: str, parent: str, *of: str) -> GateNode:
    geometry = Boolean("all", of) if of else Interval("CD45", None, 0.5)
    return GateNode(name, parent, "made", geometry, "fixed", "")


class TestSeeds:
    def test_the_blocks_do_not_meet(self) -> None:
        assert not set(seeds.TUNING_SEEDS) & set(seeds.SCORING_SEEDS)
        assert seeds.TUNING_FAMILY != seeds.SCORING_FAMILY

    def test_the_first_of_a_block_are_taken(self) -> None:
        assert seeds.chosen_seeds(None, tuning=False, default=3) == list(seeds.SCORING_SEEDS)[:3]
        assert seeds.chosen_seeds(None, tuning=True, default=2) == list(seeds.TUNING_SEEDS)[:2]

    def test_lists_and_spans(self) -> None:
        chosen = seeds.chosen_seeds("5003-5005, 5001,5004", tuning=False, default=1)
        assert chosen == [5003, 5004, 5005, 5001]
        assert seeds.spans(chosen) == "5001,5003-5005"

    @pytest.mark.parametrize(
        ("text", "tuning", "says"),
        [
            ("7", False, "seed 7 is no scoring seed .*say --tuning"),
            ("5001,7", False, "seed 7 is no scoring seed"),
            ("5001", True, "seed 5001 is no tuning seed"),
            ("0", True, "seed 0 is no tuning seed"),
            ("99999", False, "seed 99999 is no scoring seed"),
            ("", False, "is no list of seeds"),
            ("5001-", False, "is no list of seeds"),
            ("a few", False, "is no list of seeds"),
            ("5004-5001", False, "runs backwards"),
        ],
    )
    def test_no_seed_of_the_other_block_slips_in(self, text: str, tuning: bool, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            seeds.chosen_seeds(text, tuning=tuning, default=1)


class TestPlan:
    def test_every_tube_is_made_once(self) -> None:
        made = plan.tubes(plan.grid_names(), whole=[5001, 5002], enriched=[5001, 5002], events=1_000_000, family="b")
        keys = [(item.purpose, item.name, item.prepared, item.shift_decades, item.shifted) for item in made]
        assert len(keys) == len(set(keys))
        assert {item.family for item in made} == {"b"}

    def test_every_clean_scenario_is_there_and_not_all_are_clean(self) -> None:
        names = set(plan.grid_names())
        assert names >= plan.CLEAN
        assert len(names - plan.CLEAN) > len(plan.CLEAN)

    def test_scenarios_of_few_events_keep_their_share(self) -> None:
        sizes = {
            item.scenario.name: item.n_events
            for item in plan.tubes(["clean", "low_n"], whole=[5001], enriched=[], events=1_000_000, family="b")
            if item.purpose == "grid"
        }
        assert sizes == {"clean": 1_000_000, "low_n": 50_000}

    def test_the_tubes_of_a_shift_hold_the_same_cells(self) -> None:
        tubes = [
            item
            for item in plan.tubes([], whole=[], enriched=[5001], events=1_000_000, family="b")
            if item.purpose == "shift"
        ]
        up = [(item.shift_decades, item.shifted) for item in tubes]
        assert up == [(0.0, ""), *((plan.SHIFT_DECADES, marker) for marker in ("", *plan.SHIFTED_ALONE))]
        assert len({(item.name, item.seed, item.n_events) for item in tubes}) == 1

    def test_donors_of_other_days_are_stained_in_other_batches_with_their_controls(self) -> None:
        names = ["healthy", "age_70", "donor_day_1", "donor_day_2", "fmo_other_day"]
        made = plan.tubes(names, whole=[], enriched=[5001], events=1_000_000, family="b")
        plans = {item.scenario.name: item for item in made if item.purpose == "grid"}
        days = {name: plan.tube_order(item, "stained", 10).batch for name, item in plans.items()}
        assert days["healthy"] == days["age_70"] == days["fmo_other_day"]
        assert len(set(days.values())) == 3
        fmo = {name: getattr(controls.fmo_order(item, "CD271"), "batch", "") for name, item in plans.items()}
        assert fmo["donor_day_2"] == days["donor_day_2"]
        assert fmo["fmo_other_day"] != days["fmo_other_day"]


class TestWarnings:
    def test_those_of_gates_that_decide_who_is_msc_are_looked_at(self) -> None:
        nodes = (node("viable", "all"), node("low", "viable"), node("stroma", "viable", "low"))
        tree = GateTree((*nodes, node("msc", "stroma"), node("progenitors", "msc"), node("other", "viable")))
        assert warnings.deciders(tree, "msc") == {"viable", "low", "stroma", "msc"}

    def test_a_small_count_excuses_a_tube_that_truly_has_few(self) -> None:
        assert warnings.excusing(["Q36", "Q23"], true_count=10, prepared="whole") == ["Q36", "Q23"]
        assert warnings.excusing(["Q36", "Q07", "Q23"], true_count=264, prepared="whole") == ["Q23"]

    def test_what_the_preparation_earns_excuses_nothing(self) -> None:
        assert warnings.excusing(["Q28"], true_count=264, prepared="whole") == ["Q28"]
        assert warnings.excusing(["Q28"], true_count=264, prepared="cd45_depleted") == []

    def test_clusters_in_time_excuse_no_boundary(self) -> None:
        assert warnings.excusing(["Q21"], true_count=10, prepared="whole") == []


def marrow(n: int = 4000, n_msc: int = 100) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Leukocytes and stroma that one cut a marker can part, a third of the stroma with CD146."""
    rng = np.random.default_rng(5)
    msc = np.arange(n) < n_msc
    high = np.arange(n) < n_msc // 3

    def axis(level: float, others: float) -> np.ndarray:
        return np.where(msc, rng.lognormal(np.log(level), 0.2, n), rng.lognormal(np.log(others), 0.2, n))

    values = {"FSC-A": axis(130e3, 60e3), "Viability": axis(150, 150), "CD45": axis(100, 20e3)}
    values |= {"FSC-H": values["FSC-A"] / 1.2, "CD235a": axis(300, 300), "CD31": axis(100, 5e3)}
    values |= {"CD34": axis(100, 100), "CD271": axis(10e3, 100)}
    values["CD146"] = np.where(high, rng.lognormal(np.log(6e3), 0.2, n), rng.lognormal(np.log(200), 0.2, n))
    return {name: np.asarray(column, dtype=np.float32) for name, column in values.items()}, msc, high


class TestRivals:
    def test_fixed_gates_find_what_cuts_can_part(self) -> None:
        values, msc, high = marrow()
        cuts = rivals.fixed_gates(values, msc, high)
        assert (cuts.msc(values) != msc).sum() <= 2
        assert (cuts.progenitors(values) != high).sum() <= 2

    def test_fixed_gates_do_not_move_with_the_tube(self) -> None:
        values, msc, high = marrow()
        cuts = rivals.fixed_gates(values, msc, high)
        brighter = {name: column * (20 if name == "CD45" else 1) for name, column in values.items()}
        assert cuts.msc(brighter).sum() < 10

    def test_quadrants_leave_half_a_per_cent_of_each_fmo_tube_above(self) -> None:
        values, msc, high = marrow()
        fixed = rivals.fixed_gates(values, msc, high)
        without = {name: {**values, name: marrow()[0]["CD34"]} for name in rivals.COLOURS}
        cuts = rivals.fmo_quadrants(fixed, without)
        for name in rivals.COLOURS:
            cells = values["FSC-A"] / values["FSC-H"] < fixed.at["ratio"]
            cells &= (values["Viability"] < fixed.at["Viability"]) & (values["FSC-A"] >= rivals.SMALLEST_CELL)
            assert (without[name][name][cells] > cuts.at[name]).mean() == pytest.approx(0.005, abs=0.001)
        assert cuts.at["FSC-A"] == fixed.at["FSC-A"]


class TestCommand:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--seeds", "3"], "is no scoring seed"),
            (["--tuning", "--seeds", "5001"], "is no tuning seed"),
            (["--scenarios", "clen"], "there is no scenario 'clen'"),
            (["--events", "10"], "--events takes 200,000 or more"),
            (["--jobs", "0"], "--jobs 1 or more"),
            (["--out", __file__], "File exists"),
        ],
    )
    def test_wrong_use_is_told_before_any_work(
        self, arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["accuracy", *arguments])
        with pytest.raises(SystemExit) as stopped:
            command.main()
        assert stopped.value.code == 2
        assert says in capsys.readouterr().err
