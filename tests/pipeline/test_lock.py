"""From runs on disk to locked boundaries: what counts, what is left out and why, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from stromagate.cli.app import app
from stromagate.errors import InputError, SpecificationError, UsageError
from stromagate.model.gates import NOT_SEPARABLE, GateTree, Interval
from stromagate.model.locks import Locks
from stromagate.model.result import Finding, RunIndex, SampleEntry, SampleResult, Statistic
from stromagate.pipeline.bundle import RUN_FILE, open_folder, to_json_bytes, write_file, write_sample
from stromagate.pipeline.lock import Locked, Wanted, lock, wanted_by
from stromagate.pipeline.outside import locks_of
from stromagate.pipeline.template import load_template
from stromagate.prepare.scales import forward
from tests.results import LOGICLE, make_result, make_tree

_STILL = "The flow stood still."
MSC = Wanted("msc", "viable", "endothelium")


@dataclass(frozen=True)
class T:
    """One tube of an invented run: where its boundary lay and the medians of its references (linear units)."""

    name: str
    cut: float = 1_000.0
    negative: float = 100.0
    positive: float = 10_000.0
    batch: str = "b1"
    role: str = "stained"
    failing: str = ""
    n: int = 900
    node: Mapping[str, Any] | None = None
    sha256: str = ""
    medians: bool = True


def tree(tube: T) -> GateTree:
    """Return the invented tree with the boundary of MSC at the tube's cut, and endothelium."""
    grown = make_tree()
    own = {
        "geometry": Interval("CD271", float(forward(LOGICLE, tube.cut)[0]), None),
        "method": "control",
        "state": "fitted",
        **(tube.node or {}),
    }
    nodes = [replace(node, **own) if node.name == "msc" else node for node in grown.nodes]
    return replace(grown, nodes=(*nodes, replace(grown.node("viable"), name="endothelium")))


def result(tube: T, template_sha256: str) -> SampleResult:
    plain = make_result()
    shared: dict[str, Any] = {
        "parent": "",
        "statistic": "median",
        "marker": "CD271",
        "unit": "scale value",
        "n": tube.n,
    }
    medians = [
        Statistic(population="viable", value=tube.negative, **shared),
        Statistic(population="endothelium", value=tube.positive, **shared),
    ]
    return make_result(
        sample_id=tube.name,
        source=replace(plain.source, path=f"{tube.name}.fcs", sha256=tube.sha256 or tube.name.ljust(64, "0")),
        labels={"role": tube.role, **({"batch": tube.batch} if tube.batch else {})},
        tree=tree(tube),
        statistics=(*plain.statistics, *(medians if tube.medians else ())),
        template=plain.template.model_copy(update={"sha256": template_sha256}),
        findings=(
            Finding(code=tube.failing or "Q05", check="", status="fail" if tube.failing else "warn", sentence=_STILL),
        ),
    )


def run(folder: Path, *tubes: T, template_sha256: str = "7a" * 32, failed: Sequence[str] = ()) -> Path:
    """Write an invented run as a finished one."""
    results = [result(tube, template_sha256) for tube in tubes]
    entries = [
        SampleEntry(sample_id=each.sample_id, file=each.source.path, status="ok", worst_finding="warn")
        for each, tube in zip(results, tubes, strict=True)
    ]
    entries += [SampleEntry(sample_id=name, file=f"{name}.fcs", status="failed") for name in failed]
    template = results[0].template if results else None
    index = RunIndex(stromagate="0.1.0", template=template, config=make_result().record.config, samples=tuple(entries))
    with open_folder(folder, [entry.sample_id for entry in entries], force=False):
        for each in results:
            write_sample(folder, each.sample_id, {"result.json": to_json_bytes(each)})
        write_file(folder / RUN_FILE, to_json_bytes(index))
    return folder


def reasons(made: Locked) -> dict[str, str]:
    return {item.sample_id: item.reason for item in made.left_out}


def test_boundaries_are_gathered_with_the_medians_they_are_measured_by(tmp_path: Path) -> None:
    first = run(tmp_path / "one", T("a", cut=1_090), T("b", cut=2_080, negative=200, positive=20_000, batch="b2"))
    second = run(tmp_path / "two", T("c", batch=""))
    made = lock([first, second], [MSC])
    (history,) = made.locks.boundaries
    assert (history.population, history.axis, history.negative, history.positive) == (
        "msc",
        "CD271",
        "viable",
        "endothelium",
    )
    assert [(tube.sample_id, tube.batch) for tube in history.tubes] == [("a", "b1"), ("b", "b2"), ("c", "two")]
    assert history.tubes[0].cut == pytest.approx(1_090, rel=1e-9)
    assert [tube.way_frac for tube in history.tubes] == pytest.approx([0.1, 1_880 / 19_800, 900 / 9_900])
    assert made.locks.template == "bm_test"
    assert made.locks.template_sha256 == "7a" * 32
    assert made.left_out == ()


def test_a_batch_in_two_runs_is_one_batch_in_the_order_of_first_sight(tmp_path: Path) -> None:
    first = run(tmp_path / "one", T("a", batch="x"), T("b", batch="y"))
    second = run(tmp_path / "two", T("c", batch="x"), T("d", batch="z"))
    (history,) = lock([first, second], [MSC]).locks.boundaries
    assert [tube.sample_id for tube in history.tubes] == ["a", "c", "b", "d"]
    (last,) = lock([first, second], [MSC], batches=2).locks.boundaries
    assert [tube.batch for tube in last.tubes] == ["y", "z"]


LEFT_OUT = {
    "control": (T("x", role="fmo:CD146"), "it is a control (fmo:CD146)"),
    "failing": (T("x", failing="Q05"), "its finding Q05 is a failure: The flow stood still."),
    "again": (T("x", sha256="good".ljust(64, "0")), "its file is that of good"),
    "not placed": (T("x", node={"geometry": None, "state": "not_evaluable"}), "its boundary could not be placed"),
    "locked": (T("x", node={"method": "locked"}), "its boundary was itself carried over from earlier batches"),
    "doubted": (T("x", node={"doubts": (NOT_SEPARABLE,)}), "its boundary is not separable"),
    "band": (T("x", node={"geometry": Interval("CD271", 0.2, 0.5)}), "its gate has 2 straight edges, not one"),
    "few": (T("x", n=20), "20 events of viable are too few to measure by (at least 50)"),
    "reversed": (T("x", negative=10_000, positive=100), "the median CD271 of viable is not below that of endothelium"),
    "unlisted": (
        T("x", medians=False),
        "the median CD271 of viable was not kept; list CD271 among the template's `intensities`",
    ),
}


@pytest.mark.parametrize("which", LEFT_OUT)
def test_a_tube_that_tells_nothing_is_left_out_and_said(tmp_path: Path, which: str) -> None:
    tube, reason = LEFT_OUT[which]
    made = lock([run(tmp_path / "one", T("good"), tube)], [MSC])
    assert reasons(made) == {"x": reason}
    assert [item.sample_id for item in made.locks.boundaries[0].tubes] == ["good"]


def test_a_boundary_that_a_person_moved_counts_even_where_a_locked_one_was_moved(tmp_path: Path) -> None:
    moved = T("x", node={"method": "locked", "state": "edited"})
    assert len(lock([run(tmp_path / "one", moved)], [MSC]).locks.boundaries[0].tubes) == 1


def test_failed_tubes_are_named(tmp_path: Path) -> None:
    made = lock([run(tmp_path / "one", T("good"), failed=["bad"])], [MSC])
    assert reasons(made) == {"bad": "the tube failed"}


def test_runs_of_different_templates_are_refused(tmp_path: Path) -> None:
    first, second = run(tmp_path / "one", T("a")), run(tmp_path / "two", T("b"), template_sha256="8b" * 32)
    with pytest.raises(SpecificationError, match="not of one template") as caught:
        lock([first, second], [MSC])
    assert caught.value.code == "lock.templates"


def test_one_folder_by_two_names_is_refused(tmp_path: Path) -> None:
    folder = run(tmp_path / "one", T("a"))
    with pytest.raises(UsageError, match="named twice"):
        lock([folder, folder / ".." / "one"], [MSC])


def test_an_unknown_population_names_the_nearest(tmp_path: Path) -> None:
    folder = run(tmp_path / "one", T("a"))
    with pytest.raises(SpecificationError, match="no population 'endotelium'") as caught:
        lock([folder], [replace(MSC, positive="endotelium")])
    assert "endothelium" in (caught.value.hint or "")


def test_no_tube_left_is_an_error_with_reasons(tmp_path: Path) -> None:
    folder = run(tmp_path / "one", T("a", n=3))
    with pytest.raises(SpecificationError, match="no tube tells") as caught:
        lock([folder], [MSC])
    assert "a: 3 events of viable are too few" in (caught.value.hint or "")
    with pytest.raises(SpecificationError, match="no tube tells") as caught:
        lock([run(tmp_path / "two", T("a", failing="Q05"))], [MSC])
    assert "The flow stood still" in (caught.value.hint or "")


def test_a_tube_with_few_events_still_shows_its_boundary(tmp_path: Path) -> None:
    made = lock([run(tmp_path / "one", T("few", failing="Q07"))], [MSC])
    assert [item.sample_id for item in made.locks.boundaries[0].tubes] == ["few"]


def test_a_folder_without_a_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        lock([tmp_path], [MSC])
    assert caught.value.code == "run.none"


def test_a_changed_result_is_refused(tmp_path: Path) -> None:
    folder = run(tmp_path / "one", T("a"))
    path = folder / "samples/a/result.json"
    path.write_text(path.read_text().replace('"value": 10000.0', '"value": 11000.0'))
    with pytest.raises(InputError, match="not as it was written"):
        lock([folder], [MSC])


def test_a_template_without_locked_gates_asks_for_nothing() -> None:
    with pytest.raises(SpecificationError, match="no gate of the method 'locked'"):
        wanted_by(load_template("bm_stroma_core"))


TEMPLATE = """
format: stromagate.template/1
name: bm_test
version: 1.0.0
status: local
title: A locked gate
panel: {required: [CD45, CD271]}
populations:
  - {name: cells, parent: all, gate: {method: tail, axis: CD45, keep: below}}
  - {name: leukocytes, parent: all, gate: {method: tail, axis: CD45, keep: above}}
  - name: msc
    parent: cells
    gate:
      {method: locked, axis: CD271, keep: above, boundary: msc, negative: leukocytes, positive: cells, otherwise: tail}
intensities: [CD271]
"""


def test_what_a_template_locks_is_read_from_it(tmp_path: Path) -> None:
    path = tmp_path / "locked.yaml"
    path.write_text(TEMPLATE)
    assert wanted_by(load_template(str(path))) == (Wanted("msc", "leukocytes", "cells", "CD271"),)


@given(st.lists(st.tuples(st.floats(0.02, 0.9), st.floats(0.3, 3)), min_size=1, max_size=4))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_the_way_does_not_know_the_gain(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[float, float]]
) -> None:
    tubes = [
        T(f"t{i}", cut=gain * (100 + 9_900 * way), negative=gain * 100, positive=gain * 10_000)
        for i, (way, gain) in enumerate(drawn)
    ]
    made = lock([run(tmp_path_factory.mktemp("runs") / "one", *tubes)], [MSC])
    assert [tube.way_frac for tube in made.locks.boundaries[0].tubes] == pytest.approx(
        [way for way, _ in drawn], rel=1e-6
    )


# --- the command


def called(*args: object) -> Any:
    return CliRunner().invoke(app, ["lock", *map(str, args)])


def test_the_command_writes_what_run_reads(tmp_path: Path) -> None:
    folder, out = run(tmp_path / "one", T("a"), T("x", role="blank")), tmp_path / "locks.json"
    done = called(folder, "--population", "msc", "--negative", "viable", "--positive", "endothelium", "--out", out)
    assert done.exit_code == 0
    assert "msc on CD271: tubes 1, batches 1; part of the way from viable to endothelium" in done.stdout
    assert "x is left out: it is a control (blank)" in done.stderr
    path = tmp_path / "locked.yaml"
    path.write_text(TEMPLATE)
    config = make_result().record.config.model_copy(update={"locks": str(out)})
    read = locks_of(config, load_template(str(path)))
    assert read == Locks.model_validate_json(out.read_bytes())
    assert read == lock([folder], [MSC]).locks


def test_the_command_says_all_in_one_object(tmp_path: Path) -> None:
    folder, out = run(tmp_path / "one", T("a", cut=1_090)), tmp_path / "locks.json"
    named = ("--population", "msc", "--negative", "viable", "--positive", "endothelium")
    said = json.loads(called(folder, *named, "--out", out, "--json").stdout)
    assert said["ok"] is True
    assert said["boundaries"][0]["way_frac"] == {"b1": pytest.approx(0.1)}
    assert said["left_out"] == []


@pytest.mark.parametrize(
    "named", [(), ("--population", "msc"), ("--template", "bm_stroma_core", "--negative", "viable")]
)
def test_the_command_asks_which_gates(tmp_path: Path, named: tuple[str, ...]) -> None:
    done = called(run(tmp_path / "one", T("a")), *named, "--out", tmp_path / "locks.json")
    assert done.exit_code == 2
    assert "not clear which gates" in done.stderr
    assert not (tmp_path / "locks.json").exists()
