"""A batch with its controls, end to end: paired by the sheet, gated first, used, and told about when they fail."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stromagate.errors import DocumentError
from stromagate.fcs import read_fcs, write_fcs
from stromagate.gating.method import Outside
from stromagate.model.config import RunConfig
from stromagate.model.result import RunIndex, SampleResult
from stromagate.pipeline import analyze, analyze_together, analyze_with_controls, bundle, load_template
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.controls import first_stage, gate_control
from stromagate.pipeline.job import BatchOptions
from stromagate.pipeline.render_again import render_again
from stromagate.pipeline.tubes import Tube, collect_tubes
from tests.tubes import NAMES, STAINS, TEMPLATE, write_template, write_tube

CONTROL = """\
  - name: progenitors
    parent: msc
    gate: {method: control, axis: CD146, keep: above, anchor: cells, otherwise: {method: fixed, low: 0.45}}
"""
UNNAMED = ["" if stain == "CD146" else stain for stain in STAINS]
HEADER = "file,sample_id,patient_id,role,batch\n"
ROWS = "a.fcs,a,P1,stained,b1\nb.fcs,b,P2,stained,b1\na_fmo.fcs,a_fmo,P1,FMO:MCAM,b1\nb_fmo.fcs,b_fmo,P2,fmo:CD146,b1\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stained tubes, an FMO of each, and the small template with a gate that is set on them."""
    folder = tmp_path_factory.mktemp("batch")
    for seed, name in enumerate(("a", "b")):
        write_tube(folder / f"{name}.fcs", seed)
        write_fmo(folder / f"{name}_fmo.fcs", 10 + seed)
    write_template(folder / "t.yaml", HEAD + CONTROL + REST)
    (folder / "samples.csv").write_text(HEADER + ROWS, encoding="utf-8")
    return folder


HEAD = TEMPLATE[: TEMPLATE.index("  - {name: progenitors")].replace(
    "{method: valley, axis: CD45, keep: below, otherwise: tail}", "{method: fixed, axis: CD45, high: 0.5}"
)
REST = TEMPLATE[TEMPLATE.index("denominators:") :]


def write_fmo(path: Path, seed: int, *, n: int = 3000, stains: list[str] | None = None) -> Path:
    """Write a tube without the antibody against CD146, whose channel has no name then."""
    write_tube(path, seed, n)
    sample = read_fcs(path)
    events = np.array(sample.events)
    rng = np.random.default_rng(seed + 100)
    events[:, NAMES.index("PE-A")] = rng.normal(60, 90, len(events)) + 0.12 * events[:, NAMES.index("FITC-A")]
    words = {key: sample.keywords[key] for key in ("$SPILLOVER", "$TIMESTEP", "$CYT")}
    events[:, NAMES.index("Time")] /= float(words["$TIMESTEP"])
    write_fcs(path, events, NAMES, labels=UNNAMED if stains is None else stains, keywords=words)
    return path


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "batch"))


def run(folder: Path, out: str = "out", **options: object) -> RunIndex:
    tubes = collect_tubes([], folder / "samples.csv").tubes
    return run_batch(tubes, folder / "t.yaml", folder / out, options=BatchOptions(**options))  # type: ignore[arg-type]  # given by the tests


def result(folder: Path, name: str, out: str = "out") -> SampleResult:
    return bundle.read_result(folder / out, name)


def used(found: SampleResult) -> dict[str, tuple[str, ...]]:
    return {use.sample_id: use.gates for use in found.controls}


def findings(found: SampleResult, code: str) -> list[tuple[str, str]]:
    return [(finding.status, finding.sentence) for finding in found.findings if finding.code == code]


def test_a_batch_is_gated_on_its_controls(folder: Path) -> None:
    assert run(folder).exit_code == 0
    a = result(folder, "a")
    assert used(a) == {"a_fmo": ("progenitors",), "b_fmo": ("progenitors",)}
    node = a.tree.node("progenitors")
    assert (node.method, node.state) == ("control", "fitted")
    assert "fmo:CD146 x2" in node.source
    assert a.control_roles == {"progenitors": ("fmo:CD146",)}
    assert {use.role for use in a.controls} == {"fmo:CD146"}
    assert all(use.n_events == 3000 and use.n_anchor["cells"] > 1500 for use in a.controls)
    assert a.controls[0].sha256 == result(folder, "a_fmo").source.sha256
    assert findings(a, "Q34") == [("pass", "No boundary had to fall back on second-best evidence.")]
    # True progenitors: half of 2 % of 3,000; an FMO has none.
    assert 20 <= (a.count("progenitors") or 0) <= 40
    assert (result(folder, "a_fmo").count("progenitors") or 0) <= 2


def test_a_control_whose_channel_has_no_name_borrows_it_from_the_stained_tubes(folder: Path) -> None:
    run(folder)
    fmo = result(folder, "a_fmo")
    assert fmo.panel.channel("CD146") == NAMES.index("PE-A")
    assert fmo.record.conventions["markers"] == "CD146 on PE-A: as in the stained tubes of its batch"
    assert "markers" not in result(folder, "a").record.conventions
    assert fmo.controls[0].matched == ("the tube itself",)


@pytest.mark.soak  # make test meets the same with and without a cluster in test_dask.py
def test_any_number_of_workers_writes_the_same_bytes(folder: Path) -> None:
    for jobs in (1, 3):
        run(folder, f"out{jobs}", jobs=jobs)
    files = [path.relative_to(folder / "out1") for path in sorted((folder / "out1").rglob("*")) if path.is_file()]
    assert len(files) > 12
    for name in files:
        if name.name != "run.json":  # it holds the times
            assert (folder / "out1" / name).read_bytes() == (folder / "out3" / name).read_bytes(), name


def test_pages_made_again_from_results_are_the_same(folder: Path) -> None:
    text = (folder / "t.yaml").read_text(encoding="utf-8")
    second = (
        CONTROL.replace("progenitors", "a_second").replace("CD146", "CD271").replace("parent: msc", "parent: cells")
    )
    (folder / "t.yaml").write_text(text.replace("denominators:", second + "denominators:"), encoding="utf-8")
    (folder / "samples.csv").write_text(HEADER + "a.fcs,a,P1,stained,b1\n", encoding="utf-8")
    run(folder)
    pages = {path: path.read_bytes() for path in (folder / "out").rglob("*.html")}
    assert {path.name for path in pages} == {"index.html", "miflowcyt.html", "report.html"}
    assert b"Placed without a control" in pages[folder / "out" / "samples" / "a" / "report.html"]
    render_again(folder / "out")
    assert {path: path.read_bytes() for path in pages} == pages


def test_stages_are_shown_and_a_template_without_control_gates_has_one(folder: Path) -> None:
    shown: list[tuple[str, int]] = []

    def stage(title: str, total: int) -> object:
        shown.append((title, total))
        return first_stage.silent(title, total)

    tubes = collect_tubes([], folder / "samples.csv").tubes
    run_batch(tubes, folder / "t.yaml", folder / "one", stage=stage)  # type: ignore[arg-type]  # a context manager
    assert shown == [("Looking at tubes", 4), ("Gating controls", 2), ("Analysing tubes", 4)]
    shown.clear()
    write_template(folder / "plain.yaml")
    tubes = tuple(tube for tube in tubes if "fmo" not in tube.sample_id)
    run_batch(tubes, folder / "plain.yaml", folder / "two", stage=stage)  # type: ignore[arg-type]  # as above
    assert shown == [("Analysing tubes", 2)]


@pytest.fixture
def gated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the controls that are gated from now on."""
    names: list[str] = []
    real = first_stage.gate_control

    def counted(*args: object, sample_id: str, **more: object) -> object:
        names.append(sample_id)
        return real(*args, sample_id=sample_id, **more)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(first_stage, "gate_control", counted)
    return names


def test_a_finished_run_gates_no_control_again(folder: Path, gated: list[str]) -> None:
    run(folder)
    before = {path: path.stat().st_mtime_ns for path in (folder / "out" / "samples").rglob("result.json")}
    assert sorted(gated) == ["a_fmo", "b_fmo"]
    gated.clear()
    run(folder)
    assert gated == []
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_changed_control_makes_the_results_of_its_batch_again(folder: Path, gated: list[str]) -> None:
    run(folder)
    sheet = folder / "samples.csv"
    sheet.write_text(sheet.read_text() + "c.fcs,c,P3,stained,b2\n", encoding="utf-8")
    write_tube(folder / "c.fcs", 5)
    run(folder)
    old = {name: result(folder, name) for name in "abc"}
    gated.clear()
    write_fmo(folder / "b_fmo.fcs", 77)
    run(folder)
    assert sorted(gated) == ["a_fmo", "b_fmo"]
    for name in "ab":
        assert result(folder, name).controls != old[name].controls
        assert result(folder, name).controls[0].sha256 in {use.sha256 for use in result(folder, name).controls}
    assert result(folder, "c") == old["c"]
    assert [use.unused for use in old["c"].controls] == ["apart"]


def test_a_lost_result_is_made_again_as_it_was(folder: Path, gated: list[str]) -> None:
    run(folder)
    path = folder / "out" / "samples" / "b" / "result.json"
    true = path.read_bytes()
    shutil.rmtree(path.parent)
    gated.clear()
    run(folder)
    assert path.read_bytes() == true
    assert sorted(gated) == ["a_fmo", "b_fmo"]


def test_a_control_that_cannot_be_read_costs_a_finding_and_not_the_batch(folder: Path) -> None:
    (folder / "a_fmo.fcs").write_bytes((folder / "a_fmo.fcs").read_bytes()[:3000])
    finished = run(folder)
    assert [entry.sample_id for entry in finished.samples if entry.status == "failed"] == ["a_fmo"]
    assert finished.exit_code == 3
    a = result(folder, "a")
    assert used(a) == {"b_fmo": ("progenitors",), "a_fmo": ()}
    ((status, sentence),) = findings(a, "Q43")
    assert status == "warn"
    assert sentence.startswith("The FMO-CD146 control a_fmo could not be used: ")
    assert run(folder).exit_code == 3
    assert result(folder, "a") == a


def test_a_control_the_template_does_not_fit_is_named(folder: Path) -> None:
    write_fmo(folder / "a_fmo.fcs", 3, stains=["", "", "", "", "", "CD271", ""])
    run(folder)
    ((status, sentence),) = findings(result(folder, "b"), "Q43")
    assert status == "warn"
    assert "no channel carries CD45" in sentence


def test_without_a_control_the_gate_falls_back_and_says_so(folder: Path) -> None:
    (folder / "samples.csv").write_text(HEADER + "a.fcs,a,P1,stained,b1\nb_fmo.fcs,b_fmo,P2,fmo:CD146,b9\n")
    run(folder)
    a = result(folder, "a")
    assert [use.unused for use in a.controls] == ["apart"]
    assert used(a) == {"b_fmo": ()}
    assert a.tree.node("progenitors").state == "fallback"
    assert "b_fmo is the nearest: it shares cytometer, matrix" in findings(a, "Q43")[0][1]
    assert findings(a, "Q34")[0][0] == "warn"
    assert findings(a, "Q13")[0][0] == "not_applicable"


def test_the_sheet_may_list_the_controls(folder: Path) -> None:
    rows = HEADER.replace("batch", "batch,controls") + ROWS.replace("b1\n", "b1,\n")
    rows = rows.replace("a,P1,stained,b1,", "a,P1,stained,b1,B_FMO").replace("b,P2,stained,b1,", "b,P2,stained,b1,none")
    (folder / "samples.csv").write_text(rows, encoding="utf-8")
    run(folder)
    assert list(used(result(folder, "a"))) == ["b_fmo"]
    assert result(folder, "a").controls[0].matched[0] == "listed in the sheet"
    assert used(result(folder, "b")) == {}


def test_wrong_lists_and_roles_are_errors_with_lines(folder: Path) -> None:
    sheet = folder / "samples.csv"
    text = HEADER.replace("batch", "batch,controls") + ROWS.replace("b1\n", "b1,\n")
    sheet.write_text(text.replace("a,P1,stained,b1,", "a,P1,stained,b1,a_fmoo;b"), encoding="utf-8")
    with pytest.raises(DocumentError) as wrong:
        collect_tubes([], sheet)
    assert [(problem.line, problem.message) for problem in wrong.value.problems] == [
        (2, "no tube of the sheet is called 'a_fmoo'"),
        (2, "'b' is a stained tube and no control"),
    ]
    assert wrong.value.problems[0].hint == "did you mean 'a_fmo'?"
    sheet.write_text(HEADER + ROWS.replace("fmo:CD146", "fmo:CD416"), encoding="utf-8")
    with pytest.raises(DocumentError) as wrong:
        run(folder)
    (problem,) = wrong.value.problems
    assert (problem.line, problem.path) == (5, "role")
    assert "did you mean 'CD146'?" in (problem.hint or "")
    assert not (folder / "out").exists()


def test_an_fmo_of_a_marker_that_the_template_has_no_use_for_is_no_mistake(folder: Path) -> None:
    (folder / "samples.csv").write_text(HEADER + ROWS.replace("fmo:CD146", "fmo:CD90"), encoding="utf-8")
    assert run(folder).exit_code in {0, 4}
    assert list(used(result(folder, "a"))) == ["a_fmo"]


def test_an_isotype_control_sets_no_boundary(folder: Path) -> None:
    (folder / "samples.csv").write_text(HEADER + ROWS.replace("fmo:CD146", "isotype:CD146"), encoding="utf-8")
    run(folder)
    a = result(folder, "a")
    assert used(a) == {"a_fmo": ("progenitors",), "b_fmo": ()}
    assert [status for status, _ in findings(a, "Q14")] == ["pass"]


def test_python_has_the_same_numbers_as_a_batch(folder: Path) -> None:
    run(folder)
    a = result(folder, "a")
    given = [("fmo:CD146", folder / "a_fmo.fcs"), ("FMO:MCAM", folder / "b_fmo.fcs")]
    alone = analyze_with_controls(folder / "a.fcs", folder / "t.yaml", given)
    # Both FMO tubes are listed for this one; in the batch its background is that of its own patient's.
    counted, batch = ([row for row in each.statistics if row.marker != "fmo:CD146"] for each in (alone, a))
    assert counted == batch
    assert SampleResult.model_validate_json(alone.model_dump_json()).tree == a.tree
    assert alone.controls[0].matched[0] == "listed in the sheet"
    together = analyze_together(collect_tubes([], folder / "samples.csv").tubes, folder / "t.yaml")
    assert [item.model_copy(update={"seal": ""}) for item in together] == [a, result(folder, "b")]


def test_controls_gated_by_hand_are_what_a_gate_sees(folder: Path) -> None:
    loaded = load_template(folder / "t.yaml")
    control = gate_control(
        folder / "b_fmo.fcs", loaded, RunConfig(), sample_id="b", role="fmo:CD146", markers={"CD146": "PE-A"}
    )
    assert set(control.distributions) == {("cells", "CD146")}
    found = analyze(folder / "a.fcs", loaded, outside=Outside(controls=(control,)))
    assert used(found) == {"b": ("progenitors",)}
    assert findings(analyze(folder / "a.fcs", loaded), "Q34")[0][0] == "warn"


def test_a_fault_of_ours_in_a_control_costs_no_tube_and_is_made_good_by_the_next_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise ZeroDivisionError("nothing")

    with monkeypatch.context() as patched:
        patched.setattr(first_stage, "gate_control", broken)
        assert run(folder).exit_code == 0
    a = result(folder, "a")
    assert a.tree.node("progenitors").state == "fallback"
    assert findings(a, "Q43")[0][1].endswith("could not be used: a fault of stromagate: ZeroDivisionError: nothing.")
    run(folder)
    assert result(folder, "a").tree.node("progenitors").state == "fitted"


def test_a_fault_of_ours_over_a_header_costs_that_tube_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = first_stage.look

    def broken(tube: Tube, *others: Any) -> object:
        if tube.sample_id.endswith("_fmo"):
            raise ZeroDivisionError("nothing")
        return real(tube, *others)

    monkeypatch.setattr(first_stage, "look", broken)
    failed = {entry.sample_id for entry in run(folder).samples if entry.status == "failed"}
    assert failed == {"a_fmo", "b_fmo"}  # a channel without a name borrows none where the header is not known
    assert result(folder, "a").tree.node("progenitors").state == "fallback"


def test_an_interrupt_while_controls_are_gated_leaves_an_unfinished_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(first_stage, "gate_control", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(folder)
    assert not (folder / "out" / "run.json").exists()
    assert run(folder).exit_code == 0
