"""Which gate is likely wrong: each thing that speaks against one puts its tube before the others, with the reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stromagate.model.gates import Interval
from stromagate.model.result import SampleResult
from stromagate.pipeline.review.order import MIN_TUBES, gates_to_review, suspects
from tests.results import make_result

GATE = "msc"


def _tube(name: str, cut: float = 0.55, **changes: Any) -> SampleResult:
    plain = make_result(sample_id=name, detection=(), statistics=())
    node = replace(plain.tree.node(GATE), geometry=Interval("CD271", cut, None), state="fitted", spread=0.01, doubts=())
    node = replace(node, **changes)
    nodes = tuple(node if each.name == GATE else each for each in plain.tree.nodes)
    return plain.model_copy(update={"tree": replace(plain.tree, nodes=nodes)})


def _usual(n: int = MIN_TUBES) -> list[SampleResult]:
    return [_tube(f"tube_{i}", 0.55 + 0.004 * (i % 3)) for i in range(n)]


def test_a_cut_that_lies_elsewhere_comes_first() -> None:
    first, *others = suspects([*_usual(), _tube("odd", 0.75)], GATE)
    assert first.sample_id == "odd"
    assert "CD271 lies" in first.reasons[0]
    assert "higher than on the other tubes" in first.reasons[0]
    assert [each.score for each in others] == [0.0] * MIN_TUBES


def test_few_tubes_show_no_usual_place() -> None:
    found = suspects([*_usual(MIN_TUBES - 2), _tube("odd", 0.75)], GATE)
    assert [each.score for each in found] == [0.0] * (MIN_TUBES - 1)
    assert found[-1].sample_id == "odd"


def test_a_hair_is_not_odd() -> None:
    same = [_tube(f"tube_{i}", 0.55) for i in range(8)]
    assert {each.score for each in suspects([*same, _tube("hair", 0.5501)], GATE)} == {0.0}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "fallback", "method": "tail"}, "it fell back on tail"),
        ({"spread": 0.2}, "its place is unsure by 0.2 of the axis"),
        ({"doubts": ("not separable",)}, "its populations do not part"),
        ({"doubts": ("second opinion",)}, "another rule would put it elsewhere"),
        ({"state": "not_evaluable", "geometry": None, "sentence": "no events"}, "it could not be placed: no events"),
    ],
)
def test_what_speaks_against_a_gate_puts_it_first(changes: dict[str, Any], said: str) -> None:
    first = suspects([*_usual(), _tube("doubtful", **changes)], GATE)[0]
    assert (first.sample_id, first.reasons) == ("doubtful", (said,))


def test_a_population_near_the_limit_is_looked_at_earlier() -> None:
    plain = make_result(sample_id="near")
    found = suspects([plain], "stroma")[0]
    assert any("near the limit of quantification" in reason for reason in found.reasons)


def test_gates_are_those_with_a_plot() -> None:
    result = make_result()
    assert gates_to_review([result]) == [
        node.name for node in result.tree.nodes if node.name in {view.population for view in result.views}
    ]
