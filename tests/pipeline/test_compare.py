"""Two runs of the same files: pairing, numbers, the gate that moved them, the pattern."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromagate.errors import InputError, SpecificationError, UsageError
from stromagate.model.gates import Axis, Ellipse, GateNode, GateTree, Interval, Polygon, Spans
from stromagate.model.pattern import PatternCall
from stromagate.model.result import SampleResult
from stromagate.model.sample import SourceRef
from stromagate.model.scales import Scale
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.compare.boundaries import edge_shifts, first_change, greatest_change, ladder
from stromagate.pipeline.compare.runs import compare_runs, pair_tubes
from stromagate.pipeline.compare.table import COLUMNS, comparison_csv
from stromagate.pipeline.compare.tubes import compare_tubes
from stromagate.pipeline.tubes import collect_tubes
from stromagate.prepare.scales import forward
from stromagate.quantify.intervals import poisson
from tests.pipeline.reviews import finished_run
from tests.results import LOGICLE, make_result
from tests.tubes import TEMPLATE, write_template, write_tube

HIGHER = TEMPLATE.replace("axis: CD271, low: 0.45", "axis: CD271, low: 0.7").replace("1.0.0", "1.1.0")
TWO_MOVED = HIGHER.replace("low: [20000, 1000]", "low: [60000, 1000]")
NAMES = ("msc", "progenitors")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("compare"), "abc")


def second(first: Path, folder: Path, text: str, tubes: Path | None = None) -> Path:
    """Run the same tubes, or others, with another template."""
    template = write_template(folder / "other.yaml", text)
    run_batch(collect_tubes([tubes or first.parent / "in"]).tubes, template, folder / "second")
    return folder / "second"


@pytest.fixture(scope="module")
def higher(first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return second(first, tmp_path_factory.mktemp("higher"), HIGHER)


def with_count(result: SampleResult, population: str, count: int) -> SampleResult:
    """Return a result that counted another number of one population."""
    low, high = poisson(count)
    rows = [
        row.model_copy(update={"value": count, "n": count, "counting_low": low, "counting_high": high})
        if (row.population, row.statistic) == (population, "count")
        else row
        for row in result.statistics
    ]
    return result.model_copy(update={"statistics": tuple(rows)})


def test_a_run_beside_itself_moved_nothing(first: Path, tmp_path: Path) -> None:
    found = compare_runs(first, second(first, tmp_path, TEMPLATE))
    assert found.same_template
    assert (found.moved, found.flipped, found.only_first, found.only_second) == ((), (), (), ())
    assert [tube.sample_id for tube in found.tubes] == list("abc")
    assert all(not each.steps and not each.first for tube in found.tubes for each in tube.populations)
    assert all(number.ratio in {1.0, None} for t in found.tubes for p in t.populations for number in p.numbers)


def test_a_cut_that_moved_is_named_with_its_way_and_its_counts(first: Path, higher: Path) -> None:
    found = compare_runs(first, higher)
    assert (found.templates, found.same_template) == (("small 1.0.0", "small 1.1.0"), False)
    for tube in found.tubes:
        before, after = (bundle.read_result(run, tube.sample_id) for run in (first, higher))
        msc = tube.populations[0]
        assert [each.population for each in tube.populations] == list(NAMES)
        assert (msc.numbers[0].before, msc.numbers[0].after) == (before.count("msc"), after.count("msc"))
        assert (msc.first, msc.most) == ("msc", "msc")
        (step,) = msc.steps
        (edge,) = step.edges
        assert (edge.axis, edge.side, edge.before, edge.after) == ("CD271", "from", 0.45, 0.7)
        assert edge.decades > 0
        assert step.log_ratio == pytest.approx(math.log(after.count("msc") / before.count("msc")))
        # What progenitors lost they lost at the gate above: their own boundary is where it was.
        assert tube.populations[1].first == "msc"
    assert json.dumps(found.as_json(), allow_nan=False)


def test_of_two_gates_that_moved_the_first_on_the_ladder_and_the_greatest_are_told(first: Path, tmp_path: Path) -> None:
    tube = compare_runs(first, second(first, tmp_path, TWO_MOVED)).tubes[0]
    msc = tube.populations[0]
    assert (msc.first, msc.most) == ("cells", "msc")
    assert [edge.decades for edge in msc.step("cells").edges] == [None]  # scatter has no decades


def test_moved_means_outside_of_both_counting_intervals() -> None:
    before = make_result()
    for count, moved in ((62, False), (55, False), (48, False), (47, False), (30, True), (120, True), (0, True)):
        after = with_count(before, "msc", count)
        (each,) = compare_tubes(before, after, ["msc"]).populations
        outside = not (47.535 <= count <= 79.4812) and not (poisson(count)[0] <= 62 <= poisson(count)[1])
        assert (each.numbers[0].outside, each.moved) == (moved, moved) == (outside, outside)


@given(one=st.integers(0, 5000), other=st.integers(0, 5000))
def test_the_order_of_the_runs_changes_the_sign_and_no_verdict(one: int, other: int) -> None:
    before, after = (with_count(_BASE, "msc", count) for count in (one, other))
    there, back = (
        compare_tubes(*pair, ["msc"]).populations[0].numbers[0] for pair in ((before, after), (after, before))
    )
    assert there.outside == back.outside
    if one == other:
        assert not there.outside
    if one and other:
        assert there.ratio * back.ratio == pytest.approx(1.0)


_BASE = make_result()


def test_a_population_that_is_not_evaluable_in_one_run_moved() -> None:
    rows = tuple(row.model_copy(update={"value": None}) if row.population == "msc" else row for row in _BASE.statistics)
    each = compare_tubes(_BASE, _BASE.model_copy(update={"statistics": rows}), ["msc"]).populations[0]
    assert each.moved
    assert (each.numbers[0].after, each.numbers[0].ratio) == (None, None)
    assert each.first == "msc"


def test_patterns_flip_where_the_words_differ() -> None:
    def called(word: str) -> SampleResult:
        return _BASE.model_copy(update={"pattern": PatternCall(pattern=word, probability=0.9)})

    for old, new, flips, assigned in (
        ("MSC-high", "both-high", True, True),
        ("MSC-high", "indeterminate", True, False),
        ("MSC-high", "MSC-high", False, True),
        ("not assigned", "not assigned", False, False),
    ):
        pattern = compare_tubes(called(old), called(new), NAMES).pattern
        assert (pattern.flips, pattern.assigned) == (flips, assigned)
        assert (pattern.before, pattern.after) == (old, new)


def test_what_is_another_of_the_tube_itself_is_said() -> None:
    spilt = replace(
        _BASE.tree, compensation=replace(_BASE.tree.compensation, matrix=((1.0, 0.2), (0.0, 1.0))), gain="ignore"
    )
    after = _BASE.model_copy(update={"tree": spilt, "n_events": 5, "controls": (), "edits": ()})
    assert compare_tubes(_BASE, after, NAMES).notes == (
        "the compensation is another one",
        "the gain ($PnG) is applied in one of the runs only",
        "1,200,000 events were read, then 5",
        "gated with other controls: 1 tubes, then 0",
        "gates moved by hand: progenitors; then none",
    )
    lent = replace(_BASE.tree, compensation=replace(_BASE.tree.compensation, source="a file"))
    assert compare_tubes(_BASE, _BASE.model_copy(update={"tree": lent}), NAMES).notes == ()


def test_another_calibration_is_said(first: Path, tmp_path: Path) -> None:
    run = shutil.copytree(first, tmp_path / "called")
    index = json.loads((run / "run.json").read_text())
    index["calibration"] = {"name": "own", "level": "L1", "sha256": "0c" * 32, "n": 40}
    (run / "run.json").write_text(json.dumps(index))
    assert compare_runs(first, run).notes == ("patterns were called by another calibration: none, then own",)
    assert compare_runs(run, first).notes == ("patterns were called by another calibration: own, then none",)


def test_tubes_are_paired_by_content_and_those_of_one_run_are_named(first: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "renamed.fcs").write_bytes((first.parent / "in" / "a.fcs").read_bytes())
    write_tube(folder / "new.fcs", 9, 1500)
    found = compare_runs(first, second(first, tmp_path, TEMPLATE, folder))
    assert [(tube.sample_id, tube.other_id) for tube in found.tubes] == [("a", "renamed")]
    assert (found.only_first, found.only_second) == (("b", "c"), ("new",))


def test_a_tube_that_failed_in_the_other_run_says_so(first: Path, higher: Path, tmp_path: Path) -> None:
    run = shutil.copytree(higher, tmp_path / "failed")
    index = json.loads((run / "run.json").read_text())
    for entry in index["samples"]:
        if entry["sample_id"] == "b":
            entry["status"] = "failed"
    (run / "run.json").write_text(json.dumps(index))
    assert compare_runs(first, run).only_first == ("b (could not be analysed in the other run)",)


def _tube(name: str, content: str, dataset: int = 0) -> SampleResult:
    return _BASE.model_copy(update={"sample_id": name, "source": SourceRef("x.fcs", 1, dataset, 2, sha256=content)})


@given(st.lists(st.tuples(st.sampled_from("pqr"), st.integers(0, 1)), max_size=6), st.randoms(use_true_random=False))
def test_every_tube_is_in_one_pair_or_left_over(contents: list[tuple[str, int]], random) -> None:
    ours = [_tube(f"t{i}", *content) for i, content in enumerate(contents)]
    theirs = list(ours)
    random.shuffle(theirs)
    lost = theirs[: random.randint(0, len(theirs))]
    pairs, only_first, only_second = pair_tubes(ours, lost)
    assert [a.sample_id for a, b in pairs] == [b.sample_id for a, b in pairs]  # of one content, the same name first
    assert len(pairs) == len(lost)
    assert len(only_first) == len(ours) - len(pairs)
    assert only_second == []


def test_two_data_sets_of_one_file_are_two_tubes() -> None:
    pairs, only_first, _ = pair_tubes([_tube("a", "s", 0), _tube("b", "s", 1)], [_tube("other", "s", 1)])
    assert [(a.sample_id, b.sample_id) for a, b in pairs] == [("b", "other")]
    assert [each.sample_id for each in only_first] == ["a"]


def test_runs_without_a_common_tube_or_population_are_refused(first: Path, tmp_path: Path) -> None:
    write_tube(tmp_path / "in.fcs", 77, 1500)
    with pytest.raises(SpecificationError, match="share no stained tube"):
        compare_runs(first, second(first, tmp_path, TEMPLATE, tmp_path / "in.fcs"))
    renamed = TEMPLATE.replace("progenitors", "late").replace("msc", "stroma").replace("MSC", "Stroma")
    with pytest.raises(SpecificationError, match="share no index population: msc, progenitors and late, stroma"):
        compare_runs(first, _other(first, tmp_path, renamed))
    with pytest.raises(UsageError, match="named twice"):
        compare_runs(first, first)
    with pytest.raises(InputError, match="no run in this folder"):
        compare_runs(first, tmp_path)


def _other(first: Path, folder: Path, text: str) -> Path:
    (folder / "renamed").mkdir()
    return second(first, folder / "renamed", text)


def test_populations_of_one_template_alone_are_listed(first: Path, tmp_path: Path) -> None:
    found = compare_runs(first, _other(first, tmp_path, TEMPLATE.replace("progenitors", "late")))
    assert (found.populations_only_first, found.populations_only_second) == (("progenitors",), ("late",))
    assert [each.population for each in found.tubes[0].populations] == ["msc"]


def _node(geometry, parent: str = "all") -> GateNode:
    return GateNode("gate", parent, "fixed", geometry, "fixed", "")


def _tree(node: GateNode, scale: Scale = LOGICLE, pnn: str = "PE-A") -> GateTree:
    return GateTree((node,), {"CD271": Axis(pnn, scale, True), "SSC-A": Axis("SSC-A", Scale(), False)})


def _shifts(before: GateNode, after: GateNode, scale: Scale = LOGICLE):
    return edge_shifts(before, after, (_tree(before), _tree(after, scale)))


raw = st.floats(50.0, 2e5)
other_scale = Scale(kind="logicle", top=262144.0, width_decades=1.0)


@given(low=raw, high=raw, scale=st.sampled_from([LOGICLE, other_scale]))
def test_an_edge_moves_by_the_decades_between_its_values_whatever_the_scales(
    low: float, high: float, scale: Scale
) -> None:
    before = _node(Interval("CD271", float(forward(LOGICLE, low)[0]), None))
    after = _node(Interval("CD271", float(forward(scale, high)[0]), None))
    found = _shifts(before, after, scale)
    if abs(math.log(high / low)) > 1e-6:
        assert found[0].decades == pytest.approx(math.log10(high / low), rel=1e-4, abs=1e-6)
        assert found[0].after == pytest.approx(float(forward(LOGICLE, high)[0]), abs=1e-7)
    if high == low:
        assert found == ()


def test_open_sides_stretches_and_outlines_are_compared_too() -> None:
    (opened,) = _shifts(_node(Interval("CD271", 0.4, None)), _node(Interval("CD271", 0.4, 0.9)))
    assert (opened.side, opened.before, opened.after, opened.decades) == ("below", None, 0.9, None)
    found = _shifts(_node(Spans("SSC-A", ((0.0, 5.0), (6.0, 9.0)))), _node(Spans("SSC-A", ((0.0, 5.0), (7.0, 9.0)))))
    assert [(each.side, each.before, each.after, each.decades) for each in found] == [("from", 6.0, 7.0, None)]
    ellipse = Ellipse(("CD271", "SSC-A"), (0.5, 100.0), ((0.01, 0.0), (0.0, 25.0)), 4.0)
    grown = _shifts(_node(ellipse), _node(replace(ellipse, distance_squared=9.0)))
    assert all(each.outline for each in grown)
    upper = [end for each in grown[1::2] for end in (each.before, each.after)]
    assert upper == pytest.approx([0.7, 0.8, 110.0, 115.0])


def _with_gate(result: SampleResult, node: GateNode, **axes: Axis) -> SampleResult:
    nodes = tuple(node if each.name == node.name else each for each in result.tree.nodes)
    tree = replace(result.tree, nodes=nodes, axes={**result.tree.axes, **axes})
    return result.model_copy(update={"tree": tree})


def test_what_is_another_beside_the_edges_is_said_in_words() -> None:
    node = _BASE.tree.node("singlets")
    assert isinstance(node.geometry, Polygon)
    corner = (*node.geometry.vertices[:1], (200000.0, 170000.0), *node.geometry.vertices[1:])
    changes = {
        "another outline": _with_gate(_BASE, replace(node, geometry=replace(node.geometry, vertices=corner))),
        "the other side of the outline is kept": _with_gate(
            _BASE, replace(node, geometry=replace(node.geometry, inside=False))
        ),
        "a polygon, then a cut on one axis": _with_gate(_BASE, replace(node, geometry=Interval("FSC-A", 5.0, None))),
        "without a boundary in the second": _with_gate(_BASE, replace(node, geometry=None)),
        "FSC-A read from FSC-A, then from FSC-W": _with_gate(_BASE, node, **{"FSC-A": Axis("FSC-W", Scale(), False)}),
        "of time_ok, then of all": _with_gate(_BASE, replace(node, parent="all")),
    }
    for words, after in changes.items():
        step = next(step for step in ladder(_BASE, after, "msc") if step.gate == "singlets")
        assert step.differs
        assert step.note == words


def test_a_gate_of_one_run_alone_stands_in_its_place_and_counts_as_keeping_all() -> None:
    nodes = tuple(
        replace(node, parent="singlets") if node.name == "viable" else node
        for node in _BASE.tree.nodes
        if node.name != "not_debris"
    )
    without = _BASE.model_copy(update={"tree": replace(_BASE.tree, nodes=nodes)})
    for pair, words in (((_BASE, without), "only in the first"), ((without, _BASE), "only in the second")):
        steps = ladder(*pair, "msc")
        assert [step.gate for step in steps] == [
            "time_ok", "singlets", "not_debris", "viable", "nucleated", "stroma", "msc"
        ]  # fmt: skip
        assert steps[2].note == words
        assert {steps[2].share_before, steps[2].share_after} == {1.0, 981000 / 1069000}
        assert first_change(steps).gate == "not_debris"


def test_a_boundary_that_moved_goes_before_shares_that_follow() -> None:
    after = with_count(with_count(_BASE, "viable", 900000), "msc", 60)
    assert first_change(ladder(_BASE, after, "msc")).gate == "viable"  # no boundary differs: the first share that does
    cut = replace(_BASE.tree.node("msc"), geometry=Interval("CD271", 0.63, None))
    steps = ladder(_BASE, _with_gate(after, cut), "msc")
    assert [step.gate for step in steps if step.changes] == ["viable", "nucleated", "msc"]
    assert (first_change(steps).gate, greatest_change(steps).gate) == ("msc", "msc")


def test_a_gate_that_keeps_nothing_is_the_greatest_change() -> None:
    steps = ladder(_BASE, with_count(with_count(_BASE, "msc", 0), "stroma", 1000), "msc")
    assert greatest_change(steps).gate == "msc"
    assert first_change(steps).gate == "stroma"
    assert greatest_change(ladder(_BASE, _BASE, "msc")) is None


def test_the_table_has_one_number_a_row_with_all_of_its_limits(first: Path, higher: Path) -> None:
    import csv
    import io

    rows = list(csv.DictReader(io.StringIO(comparison_csv(compare_runs(first, higher)).decode())))
    assert tuple(rows[0]) == COLUMNS
    (count,) = [r for r in rows if (r["sample_id"], r["population"], r["statistic"]) == ("a", "msc", "count")]
    result = bundle.read_result(first, "a")
    assert float(count["before"]) == result.count("msc")
    assert count["state_before"] == "detected, not quantifiable"
    assert (count["first_gate"], count["most_gate"]) == ("msc", "msc")
    (edge,) = [r for r in rows if (r["sample_id"], r["population"], r["statistic"]) == ("a", "msc", "edge_from")]
    assert (edge["gate"], edge["axis"], edge["before"], edge["after"]) == ("msc", "CD271", "0.45", "0.7")
    assert sum(r["statistic"] == "pattern" for r in rows) == 3
