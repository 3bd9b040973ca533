"""A tube of a finished run opened again: its own numbers, what a moved boundary gives, plots, controls, refusals."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from stromagate.errors import DocumentError, InputError, SpecificationError
from stromagate.fcs import hash_file
from stromagate.gating.live import LiveTube
from stromagate.model.config import RunConfig
from stromagate.model.edits import GateEdit, GateEdits, SampleEdits
from stromagate.model.gates import GateNode, Geometry, Interval
from stromagate.model.result import SampleResult, Statistic
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.edits import made_on
from stromagate.pipeline.job import BatchOptions
from stromagate.pipeline.review import tubes
from stromagate.pipeline.review.files import FileFinder
from stromagate.pipeline.review.opened import ReviewTube
from stromagate.pipeline.review.preview import Moment, rows
from stromagate.pipeline.review.tubes import TubeShelf, open_tube
from stromagate.pipeline.tubes import collect_tubes
from tests.gating.test_edits import fitted
from tests.gating.test_edits import tube as ten_events
from tests.pipeline.test_controls import CONTROL, HEAD, HEADER, REST, write_fmo
from tests.results import make_result
from tests.tubes import write_template, write_tube

MOVED = Interval("CD271", 0.69, None)
SHEET = HEADER + "a.fcs,a,P1,stained,b1\nb.fcs,b,P2,stained,b1\na_fmo.fcs,a_fmo,P1,fmo:CD146,b1\n"


def run(folder: Path, out: str, **edits: object) -> None:
    tubes_there = collect_tubes([], folder / "samples.csv").tubes
    config = RunConfig(boundary_draws=16, grid=32, **edits)  # type: ignore[arg-type]  # given by the tests
    run_batch(tubes_there, folder / "t.yaml", folder / out, config, BatchOptions())


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stained tubes and an FMO, run once as fitted and once with a boundary that a person moved."""
    folder = tmp_path_factory.mktemp("plate")
    write_tube(folder / "a.fcs", 0)
    write_tube(folder / "b.fcs", 1)
    write_fmo(folder / "a_fmo.fcs", 10)
    write_template(folder / "t.yaml", HEAD + CONTROL + REST)
    (folder / "samples.csv").write_text(SHEET, encoding="utf-8")
    run(folder, "out")
    a = bundle.read_result(folder / "out", "a")
    edit = GateEdit(population="msc", geometry=MOVED, who="A", when="2026-03-01T18:00:00Z", why="debris")
    of_a = SampleEdits(sample_id="a", tree_sha256=a.fitted_tree_sha256, edits=(edit,), made_on=made_on(a))
    (folder / "edits.json").write_text(GateEdits(samples=(of_a,)).model_dump_json(), encoding="utf-8")
    run(folder, "edited", edits=str(folder / "edits.json"))
    return folder


def result(plate: Path, name: str = "a", out: str = "out") -> SampleResult:
    return bundle.read_result(plate / out, name)


def opened(plate: Path, name: str = "a", out: str = "out") -> ReviewTube:
    return open_tube(plate / out, result(plate, name, out), FileFinder(plate / out, [plate]))


def gate(tube: ReviewTube, name: str) -> Interval:
    geometry = tube.fitted.node(name).geometry
    assert isinstance(geometry, Interval)
    return geometry


def of_statistics(statistics: tuple[Statistic, ...]) -> dict[tuple[str, str, str], tuple[float | None, ...]]:
    return {
        (row.population, row.statistic, row.denominator): (row.value, row.counting_low, row.counting_high)
        for row in statistics
        if row.statistic in {"count", "fraction", "per_million"} and row.population != "all"
    }


def of_preview(tube: ReviewTube, edits: dict[str, Geometry]) -> dict[tuple[str, str, str], tuple[float | None, ...]]:
    moment = Moment(tube.tree(edits), tube.counts(edits))
    names = [node.name for node in moment.tree.nodes]
    found: dict[tuple[str, str, str], tuple[float | None, ...]] = {}
    for row in rows(tube.result, names, moment, moment):
        found[row.population, "count", ""] = (row.after.value, row.after.low, row.after.high)
        for rate in row.rates:
            assert rate.before == rate.after
            key = (row.population, rate.statistic, rate.denominator)
            found[key] = (rate.after.value, rate.after.low, rate.after.high)
    return found


def test_a_tube_is_opened_on_its_own_numbers(plate: Path) -> None:
    tube = opened(plate)
    assert tube.fitted.digest() == tube.result.fitted_tree_sha256
    assert tube.counts({}) == {name: tube.result.count(name) for name in tube.counts({})}
    assert tube.counts({})["all"] == 3000


@pytest.mark.parametrize(("out", "edits"), [("out", {}), ("edited", {"msc": MOVED})])
def test_its_rates_and_intervals_are_those_of_the_run(plate: Path, out: str, edits: dict[str, Geometry]) -> None:
    """Rows made of counts alone are the rows of the run's table, but for what boundaries leave open."""
    tube = opened(plate, out=out)
    assert of_preview(tube, edits) == of_statistics(tube.result.statistics)


def test_a_preview_is_what_the_run_gives_with_the_edit(plate: Path) -> None:
    tube, edited = opened(plate), result(plate, out="edited")
    found = tube.preview({}, "msc", MOVED)
    assert [row.population for row in found.populations] == ["msc", "progenitors"]
    of_run = of_statistics(edited.statistics)
    for row in found.populations:
        assert row.of_run == row.before.value == tube.result.count(row.population)
        assert (row.after.value, row.after.low, row.after.high) == of_run[row.population, "count", ""]
        assert row.parent == tube.fitted.node(row.population).parent
        assert row.state == next(
            each.state for each in edited.statistics if (each.population, each.statistic) == (row.population, "count")
        )
        for rate in row.rates:
            key = (row.population, rate.statistic, rate.denominator)
            assert (rate.after.value, rate.after.low, rate.after.high) == of_run[key]
    assert (found.populations[0].label, found.populations[0].state) == ("MSC", "detected, not quantifiable")
    assert 0 < (found.populations[0].after.value or 0) < (found.populations[0].before.value or 0)
    assert found.counts == {name: edited.count(name) for name in found.counts}
    assert next(iter(found.counts)) == "all"
    assert found.note.startswith("Intervals are of counting alone: how sure a boundary drawn by hand is, is not known")
    assert (found.confidence, found.interval) == (0.95, "clopper-pearson")
    assert found.milliseconds > 0


def test_asking_keeps_nothing_and_a_boundary_can_be_set_back(plate: Path) -> None:
    tube = opened(plate)
    before = tube.counts({})
    edits: dict[str, Geometry] = {"msc": MOVED}
    further = tube.preview(edits, "msc", replace(MOVED, low=0.72))
    assert further.populations[0].before.value == tube.counts(edits)["msc"]
    back = tube.preview(edits, "msc", None)
    assert [row.population for row in back.populations] == ["msc", "progenitors"]
    assert back.populations[0].after.value == before["msc"]
    assert back.populations[0].before.value == tube.counts(edits)["msc"]
    assert back.counts == tube.counts({}) == before
    assert edits == {"msc": MOVED}


def test_an_edited_tube_is_opened_as_it_was_fitted(plate: Path) -> None:
    tube = opened(plate, out="edited")
    assert tube.fitted == result(plate).tree
    assert tube.preview({"msc": MOVED}, "msc", None).populations[0].after.value == result(plate).count("msc")


def test_a_boundary_that_cannot_be_drawn_is_refused(plate: Path) -> None:
    with pytest.raises(DocumentError, match="this tube carries no CD3"):
        opened(plate).preview({}, "msc", Interval("CD3", 0.5, None))


def test_what_was_drawn_below_a_boundary_moves_with_it_where_none_was_fitted(tmp_path: Path) -> None:
    """A page asks with the moved boundary left out of the others; without it they could not stand."""
    prepared = ten_events()
    gated, gates = fitted(prepared)
    live = LiveTube(prepared, gated.tree, gated.members, gates=gates)
    tube = ReviewTube(make_result(denominators=()), live, FileFinder(tmp_path))
    below: dict[str, Geometry] = {"late": Interval("X", 7.0, None)}
    found = tube.preview(below, "bright", Interval("Y", 40.0, None))
    after = {row.population: row.after.value for row in found.populations}
    assert after == {"bright": 6, "brightest": 4, "late": 3, "dull": 2, "neither": 2}
    assert {row.before.value for row in found.populations} == {None}
    assert found.counts == {"all": 10, "cells": 8, **after}
    for edits, geometry in ((below, None), (below, Interval("Z", 1.0, None)), ({"late": MOVED}, MOVED)):
        with pytest.raises(DocumentError):
            tube.preview(edits, "bright", geometry)


def test_a_population_that_is_emptied_has_no_rates_below(plate: Path) -> None:
    found = opened(plate).preview({}, "cd45neg", Interval("CD45", 5.0, None))
    empty, msc, progenitors = found.populations
    assert (empty.after.value, empty.state) == (0, "not detected")
    assert msc.after.value == progenitors.after.value == 0
    shares = {(rate.statistic, rate.denominator): rate.after for rate in progenitors.rates}
    assert shares["fraction", "msc"].value is None
    assert shares["per_million", "cells"].value == 0
    assert shares["per_million", "cells"].high is not None


def test_a_plot_has_the_gates_that_can_be_drawn_on_it(plate: Path) -> None:
    tube = opened(plate)
    seen = tube.view("cd45neg", "CD271", "CD146", grid=32, population="progenitors")
    assert [(each.population, each.label, each.edited) for each in seen.gates] == [("msc", "MSC", False)]
    assert seen.gates[0].n == tube.result.count("msc")
    assert seen.plot.n_parent == tube.result.count("cd45neg")
    assert seen.over is not None
    assert seen.over.n_parent == tube.result.count("progenitors")
    assert (seen.over.x, seen.over.y) == (seen.plot.x, seen.plot.y)
    moved = tube.view("cd45neg", "CD271", edits={"msc": MOVED}, x_range=(0.5, 0.9), grid=32)
    assert [(each.geometry, each.edited) for each in moved.gates] == [(MOVED, True)]
    assert (moved.plot.x.low, moved.plot.x.high, moved.over) == (0.5, 0.9, None)
    assert tube.view("cd45neg", "CD45", "SSC-A", grid=32).gates == ()


def test_a_control_lies_over_the_plot_on_the_tube_s_own_boundaries(plate: Path) -> None:
    tube = opened(plate)
    assert [use.role for use in tube.controls()] == ["fmo:CD146"]
    plot = tube.view("msc", "CD146", grid=32).plot
    over = tube.control_view("fmo:CD146", "msc", "CD146", grid=32)
    assert (over.sample_id, over.role, over.n_events) == ("a_fmo", "fmo:CD146", 3000)
    assert over.plot.x == plot.x
    # What the run itself counted of the control on this tube's boundaries.
    counted = tube.result.controls[0].counts
    assert counted
    assert {name: over.counts[name] for name in counted} == counted
    # They move with the tube's.
    wide = tube.control_view("fmo:CD146", "msc", "CD146", edits={"progenitors": Interval("CD146", 0.0, None)}, grid=32)
    assert wide.counts["progenitors"] > over.counts["progenitors"]
    assert wide.plot.n_parent == over.plot.n_parent


def test_a_control_that_is_not_there_is_told_apart(plate: Path, tmp_path: Path) -> None:
    tube = opened(plate)
    with pytest.raises(
        SpecificationError, match="no control of the role 'fmo:CD45' is paired with this tube"
    ) as caught:
        tube.control_view("fmo:CD45", "msc", "CD146")
    assert "fmo:CD146" in (caught.value.hint or "")
    (tmp_path / "far" / "plate").mkdir(parents=True)
    shutil.copytree(plate / "out", tmp_path / "far" / "plate" / "out")
    shutil.copy(plate / "a.fcs", tmp_path / "far" / "plate")
    alone = open_tube(tmp_path / "far" / "plate" / "out", result(plate), FileFinder(tmp_path / "far" / "plate" / "out"))
    with pytest.raises(InputError, match=r"its file a_fmo\.fcs .* is not at hand"):
        alone.control_view("fmo:CD146", "msc", "CD146")


def test_without_its_file_a_tube_says_how_to_name_the_folder(plate: Path, tmp_path: Path) -> None:
    shutil.copytree(plate / "out", tmp_path / "x" / "y" / "out")
    with pytest.raises(InputError) as caught:
        open_tube(tmp_path / "x" / "y" / "out", result(plate), FileFinder(tmp_path / "x" / "y" / "out"))
    assert (caught.value.code, caught.value.where) == ("review.no_file", "a")
    assert "a.fcs" in caught.value.message
    assert "--files FOLDER" in (caught.value.hint or "")


def test_numbers_that_are_not_those_of_the_boundaries_are_refused(plate: Path) -> None:
    right = result(plate)
    statistics = tuple(
        row.model_copy(update={"value": row.value + 1})
        if (row.population, row.statistic) == ("progenitors", "count") and row.value is not None
        else row
        for row in right.statistics
    )
    wrong = right.model_copy(update={"statistics": statistics})
    with pytest.raises(SpecificationError) as caught:
        open_tube(plate / "out", wrong, FileFinder(plate / "out", [plate]))
    assert caught.value.code == "review.other_counts"
    n = right.count("progenitors")
    assert f"give {n} events of 'progenitors', and the result says {(n or 0) + 1} events" in caught.value.message


def test_boundaries_that_are_not_those_that_were_fitted_are_refused(plate: Path) -> None:
    def nudged(node: GateNode) -> GateNode:
        return replace(node, geometry=Interval("CD45", None, 0.51)) if node.name == "cd45neg" else node

    right = result(plate, out="edited")
    tree = replace(right.tree, nodes=tuple(map(nudged, right.tree.nodes)))
    with pytest.raises(SpecificationError, match="the boundaries before the edits cannot be told"):
        open_tube(plate / "edited", right.model_copy(update={"tree": tree}), FileFinder(plate, [plate]))
    nameless = right.model_copy(update={"source": replace(right.source, sha256=None)})
    with pytest.raises(SpecificationError, match="does not say which file it is of"):
        open_tube(plate / "edited", nameless, FileFinder(plate, [plate]))


def test_a_template_that_is_not_at_hand_costs_only_what_it_holds(plate: Path, tmp_path: Path) -> None:
    shutil.copytree(plate / "out", tmp_path / "alone" / "out")
    (tmp_path / "fcs").mkdir()
    shutil.copy(plate / "a.fcs", tmp_path / "fcs")
    tube = open_tube(
        tmp_path / "alone" / "out", result(plate), FileFinder(tmp_path / "alone" / "out", [tmp_path / "fcs"])
    )
    assert tube.preview({}, "msc", MOVED).counts == opened(plate).counts({"msc": MOVED})


def test_the_shelf_keeps_the_last_tubes(plate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[str]()

    def counted(folder: Path, of: SampleResult, files: FileFinder) -> ReviewTube:
        seen.append(of.sample_id)
        return open_tube(folder, of, files)

    monkeypatch.setattr(tubes, "open_tube", counted)
    shelf = TubeShelf(plate / "out", FileFinder(plate / "out", [plate]), max_tubes=2)
    a, b, fmo = (result(plate, name) for name in ("a", "b", "a_fmo"))
    assert shelf.tube(a) is shelf.tube(a)
    shelf.tube(b)
    shelf.tube(a)
    shelf.tube(fmo)  # b makes room
    shelf.tube(a)
    shelf.tube(b)
    assert seen == ["a", "b", "a_fmo", "b"]
    monkeypatch.setattr(tubes, "MAX_EVENTS", 5_999)  # two tubes of 3,000 are too many now
    assert shelf.tube(b) is shelf.tube(b)
    shelf.tube(a)
    assert seen[4:] == ["a"]
    # After the run was made again the tube is another one.
    again = result(plate, "a", "edited")
    assert shelf.tube(again).result == again
    assert seen[-1] == "a"


def test_a_tube_that_many_ask_for_is_read_once(plate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, found = list[str](), list[ReviewTube]()

    def counted(folder: Path, of: SampleResult, files: FileFinder) -> ReviewTube:
        seen.append(of.sample_id)
        return open_tube(folder, of, files)

    monkeypatch.setattr(tubes, "open_tube", counted)
    shelf, a = TubeShelf(plate / "out", FileFinder(plate / "out", [plate])), result(plate)
    threads = [threading.Thread(target=lambda: found.append(shelf.tube(a))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["a"]
    assert len({id(tube) for tube in found}) == 1
    assert hash_file(plate / "a.fcs") == a.source.sha256
