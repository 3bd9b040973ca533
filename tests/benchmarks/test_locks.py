"""Locked gates and kept controls of the bench: what the variant changes, what batches it stands on, that it is used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import controls, locks
from benchmarks.accuracy.plan import ENRICHED, TubePlan
from benchmarks.accuracy.seeds import TUNING_SEEDS
from benchmarks.accuracy.tube import TEMPLATE
from stromagate.gating.method import Outside
from stromagate.model.locks import LockedBoundary, LockedTube, Locks
from stromagate.pipeline import analyze, load_template
from stromagate.simulate import scenario, simulate_tube, write_tube


def locked_at(way_frac: float, batches: int = 3) -> Locks:
    """Return the locks of earlier batches in which CD271 was cut at one part of the way."""
    cut = 100.0 + way_frac * 9_900.0
    tubes = [
        LockedTube(batch=f"b{n}", sample_id=f"t{n}", sha256=f"{n:064}", cut=cut, negative=100.0, positive=10_000.0)
        for n in range(batches)
    ]
    boundary = LockedBoundary(
        population=locks.GATE, axis="CD271", negative=locks.NEGATIVE, positive=locks.POSITIVE, tubes=tuple(tubes)
    )
    return Locks(template=f"{TEMPLATE}_locked", template_sha256="0" * 64, boundaries=(boundary,))


def test_the_variant_differs_in_one_gate_and_one_population() -> None:
    shipped, variant = load_template(TEMPLATE), locks.locked_template(TEMPLATE)
    before = {item.name: item for item in shipped.template.populations}
    after = {item.name: item for item in variant.template.populations}
    assert set(after) - set(before) == {locks.POSITIVE}
    assert [name for name in before if after[name] != before[name]] == [locks.GATE]
    assert [step.method for step in variant.gates[locks.GATE]] == ["locked", "control", "tail"]
    assert variant.gates[locks.GATE][1:] == shipped.gates[locks.GATE]
    assert "CD271" in variant.template.intensities


def test_earlier_batches_are_other_donors_on_other_days() -> None:
    made = locks.orders("b", 5, 1_000)
    stained = [order for order in made if order.role == "stained"]
    assert len({order.donor for order in stained}) == len({order.batch for order in stained}) == len(stained) == 5
    assert {order.seed for order in made} == set(TUNING_SEEDS[:5])
    assert {order.family for order in made} == {"b"}
    gains = [order.scenario.lab.gain_shift_decades for order in stained]
    assert gains[0] == 0.0
    assert len(set(gains)) == 5
    for order in stained:
        beside = [other for other in made if other.batch == order.batch and other is not order]
        assert sorted(other.role for other in beside) == ["fmo:CD146", "fmo:CD271"]
        assert {other.donor for other in beside} == {order.donor}


@pytest.mark.soak
def test_batches_lock_the_gate_by_the_code_of_the_verb() -> None:
    """Gains of 0.15 decade up and down move the references; the cut lies at 7 to 11 % of the way between them."""
    made = locks.gather(TEMPLATE, "a", batches=3, n_events=60_000)
    (boundary,) = made.boundaries
    assert (boundary.population, boundary.axis) == (locks.GATE, "CD271")
    ways = [way for of_batch in boundary.ways_by_batch().values() for way in of_batch]
    assert list(boundary.ways_by_batch()) == ["batch_01", "batch_02", "batch_03"]
    assert 0.05 < min(ways) <= max(ways) < 0.15
    negatives = {tube.batch: tube.negative for tube in boundary.tubes}
    assert negatives["batch_03"] < negatives["batch_01"] < negatives["batch_02"]


def test_the_cut_is_the_locked_one(tmp_path: Path) -> None:
    plan = TubePlan("shift", scenario("healthy"), ENRICHED, 90_000, 431, family="a")
    path = tmp_path / "tube.fcs"
    write_tube(simulate_tube(controls.tube_order(plan, "stained", plan.n_events)), path)
    template = locks.locked_template(TEMPLATE)
    low, high = (analyze(path, template, outside=Outside(locks=locked_at(way))) for way in (0.12, 0.9))
    assert low.tree.node(locks.GATE).source == "locked over 3 batches, 3 tubes"
    assert (low.count("msc") or 0) > 1.5 * (high.count("msc") or 0)
    few = analyze(path, template, outside=Outside(locks=locked_at(0.9, batches=2)))
    assert few.tree.node(locks.GATE).state == "fallback"


class TestKeptControls:
    PLAN = TubePlan("grid", scenario("healthy"), ENRICHED, 12_000, 432, family="a")

    def test_what_was_kept_is_what_would_be_made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made = controls.controls_of(self.PLAN, TEMPLATE)
        first = controls.controls_of(self.PLAN, TEMPLATE, tmp_path)
        assert len(list(tmp_path.iterdir())) == 2 * len(controls.MATES)  # its own two are those of one of the mates
        monkeypatch.setattr(controls, "simulate_tube", None)
        again = controls.controls_of(self.PLAN, TEMPLATE, tmp_path)
        for plain, one, two in zip(made, first, again, strict=True):
            assert plain.sample_id == one.sample_id == two.sample_id
            assert plain.sha256 == one.sha256 == two.sha256
            assert list(plain.distributions) == list(two.distributions)
            for key, values in plain.distributions.items():
                assert np.array_equal(values.values, two.distributions[key].values)
                assert np.array_equal(values.weights, two.distributions[key].weights)

    def test_another_tube_takes_none_of_them(self, tmp_path: Path) -> None:
        controls.controls_of(self.PLAN, TEMPLATE, tmp_path)
        kept = len(list(tmp_path.iterdir()))
        other = TubePlan("grid", scenario("fmo_missing"), ENRICHED, 12_000, 432, family="a")
        assert controls.controls_of(other, TEMPLATE, tmp_path) == ()
        assert len(list(tmp_path.iterdir())) == kept
