"""From finished runs to a calibration; from a calibration to patterns, in a run, in one that goes on, and anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stromagate.errors import InputError, SpecificationError, StromagateError, UsageError
from stromagate.model.calibration import CalibrationTube, CohortCalibration, ControlCalibration, Reference
from stromagate.model.result import RunIndex, SampleResult
from stromagate.pattern import call_pattern
from stromagate.pipeline import together
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.bundle import read_result, read_run
from stromagate.pipeline.calibrate import Wanted, calibrate, calibration_bytes, reference, with_pattern
from stromagate.pipeline.job import BatchOptions
from stromagate.pipeline.render_again import render_again
from stromagate.pipeline.tubes import collect_tubes
from tests.cli.test_run import tree
from tests.pattern.runs import donor, donors, write_run
from tests.pattern.tubes import controls, tube
from tests.tubes import write_template, write_tube

WANTED = Wanted("our controls")


def refused(folders: list[Path], wanted: Wanted = WANTED) -> StromagateError:
    with pytest.raises(StromagateError) as caught:
        calibrate(folders, wanted)
    assert caught.value.hint
    return caught.value


def test_runs_become_one_calibration(tmp_path: Path) -> None:
    every = donors(5)
    folders = [write_run(tmp_path / "one", every[:2]), write_run(tmp_path / "two", every[2:])]
    made = calibrate(folders, Wanted("our controls", made_on="2026-03-01", note="fasting"))
    found = made.calibration
    assert isinstance(found, ControlCalibration)
    assert [each.sample_id for each in found.tubes] == ["c00", "c01", "c02", "c03", "c04"]
    assert found.rates["nucleated"].P == (16, 17, 18, 19, 20)
    assert (found.name, found.made_on, found.note) == ("our controls", "2026-03-01", "fasting")
    assert (found.template, found.template_sha256) == (every[0].template.name, every[0].template.sha256)
    assert made.left_out == ()
    assert calibrate(folders, Wanted("our controls", made_on="2026-03-01", note="fasting")) == made


def test_tubes_that_failed_are_named_among_those_left_out(tmp_path: Path) -> None:
    control = donor("fmo", 0, 0, labels={"role": "fmo:CD146"})
    folder = write_run(tmp_path / "one", [*donors(3), control], {"code": "fcs.truncated", "message": "ends early"})
    assert [(item.sample_id, item.reason) for item in calibrate([folder], WANTED).left_out] == [
        ("failed-0", "the tube failed"),
        ("fmo", "it is a control tube (fmo:CD146)"),
    ]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ((("group", "control"),), ["c00", "c01", "c02"]),
        ((("group", "CONTROL"),), ["c00", "c01", "c02"]),
        ((("group", "AML"), ("visit", "1")), ["a0", "a1", "a2"]),
        ((("visit", "1"),), ["a0", "a1", "a2"]),
    ],
)
def test_tubes_are_chosen_by_the_sheet(tmp_path: Path, where: tuple[tuple[str, str], ...], names: list[str]) -> None:
    labels = {"group": " aml ", "visit": "1"}
    patients = [donor(f"a{number}", 90, 40, labels=labels) for number in range(3)]
    folder = write_run(tmp_path / "one", [*donors(3), *patients])
    made = calibrate([folder], Wanted("some", where=where))
    assert [each.sample_id for each in made.calibration.tubes] == names
    assert made.left_out == ()  # who was not asked for is not left out


def test_a_choice_that_meets_nobody_names_the_columns(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "one", donors(3))
    said = refused([folder], Wanted("some", where=(("grop", "control"), ("visit", "1"))))
    assert (type(said), said.code) == (UsageError, "calibrate.where")
    assert said.message == "no tube has grop=control and visit=1"
    assert said.hint == "columns of the sheet: group, patient_id, preparation, role, specimen"


def test_a_cohort_is_cut_within_itself(tmp_path: Path) -> None:
    made = calibrate([write_run(tmp_path / "one", donors(9))], Wanted("the cohort", cut="tertiles"))
    assert isinstance(made.calibration, CohortCalibration)
    assert made.calibration.cut == "tertiles"


def test_what_is_no_choice_of_runs_is_refused(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", donors(3))
    assert refused([]).code == "calibrate.no_run"
    assert refused([one, tmp_path / "sub" / ".." / "one"]).code == "calibrate.twice"
    assert isinstance(refused([tmp_path / "nowhere"]), InputError)
    (one / "run.json").unlink()
    assert refused([one]).code == "run.unfinished"


def test_runs_of_two_templates_are_refused(tmp_path: Path) -> None:
    other = donors(1)[0].template.model_copy(update={"sha256": "0" * 64, "version": "9.9.9"})
    folders = [
        write_run(tmp_path / "one", donors(3)),
        write_run(tmp_path / "two", [donor("x", 20, 40, template=other)]),
    ]
    said = refused(folders)
    assert (type(said), said.code, said.where) == (SpecificationError, "calibrate.templates", str(tmp_path / "two"))
    assert "1.2.3" in said.message
    assert "9.9.9" in said.message


def test_a_result_changed_by_hand_makes_no_calibration(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "one", donors(3))
    path = folder / "samples" / "c01" / "result.json"
    plain = json.loads(path.read_bytes())
    next(row for row in plain["statistics"] if row["population"] == "progenitors")["value"] += 10
    path.write_text(json.dumps(plain), encoding="utf-8")
    assert refused([folder]).code == "result.changed"


def test_runs_without_a_result_are_too_few_and_not_badly_chosen(tmp_path: Path) -> None:
    error = {"code": "fcs.truncated", "message": "ends early"}
    folder = write_run(tmp_path / "one", [], error, template=donors(1)[0].template)
    assert refused([folder]).code == "calibrate.too_few"


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "two\nlines", "\u202eturned", "half \ud83d"])
def test_a_name_must_fit_a_sentence(tmp_path: Path, name: str) -> None:
    said = refused([write_run(tmp_path / "one", donors(3))], Wanted(name))
    assert (type(said), said.code) == (UsageError, "calibrate.name")
    assert "80 characters" in (said.hint or "")


def test_a_result_that_has_its_pattern_is_left_as_it_is() -> None:
    plain, own, other = tube(90, 40), controls(), controls(44, p=30.0)
    called = with_pattern(plain, own)
    assert called.pattern == call_pattern(plain, own)
    assert with_pattern(called, own) is called
    assert with_pattern(called, controls()) is called
    assert with_pattern(called, other).pattern.calibration == reference(other) != reference(own)
    bare = with_pattern(called, None)
    assert (bare.pattern.level, bare.pattern.calibration) == ("L0", None)
    assert with_pattern(bare, None) is bare
    assert bare.model_copy(update={"pattern": called.pattern}) == called


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tubes and the small template, and two calibrations made with it: of few cells, and of many."""
    folder = tmp_path_factory.mktemp("lab")
    for seed, name in enumerate("ab"):
        write_tube(folder / f"{name}.fcs", seed)
    write_template(folder / "small.yaml")
    plain = go(folder, folder / "first")
    for name, rate in (("few", 100.0), ("many", 1e6)):
        (folder / f"{name}.json").write_bytes(calibration_bytes(made_for(result(folder / "first", "a"), name, rate)))
    assert plain.calibration is None
    return folder


def go(lab: Path, out: Path, calibration: str = "") -> RunIndex:
    """Run the two tubes."""
    tubes = collect_tubes([lab / "a.fcs", lab / "b.fcs"], None).tubes
    chosen = lab / f"{calibration}.json" if calibration else None
    return run_batch(tubes, lab / "small.yaml", out, options=BatchOptions(calibration=chosen))


def made_for(found: SampleResult, name: str, rate: float) -> ControlCalibration:
    """Return own controls about a rate, for tubes of this template without controls."""
    rates = tuple(rate * (1 + 0.01 * number) for number in range(44))
    return controls(
        name=name,
        template=found.template.name,
        template_version=found.template.version,
        template_sha256=found.template.sha256,
        strata=dict.fromkeys(("specimen", "preparation", "pull", "storage"), "not said"),
        instrument="Test cytometer",
        background="raw",
        denominators=("cells",),
        tubes=tuple(CalibrationTube(sample_id=f"C{number}", sha256="") for number in range(44)),
        rates={"cells": Reference(P=rates, Q=rates)},
    )


def result(out: Path, name: str) -> SampleResult:
    return read_result(out, name)


def without_pattern(found: SampleResult) -> dict[str, Any]:
    return found.model_dump(mode="json", exclude={"pattern"})


@pytest.fixture
def no_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gates a tube now fails it: files may be hashed, and nothing else."""

    def gated(path: Path, *args: object, **kwargs: object) -> SampleResult:
        raise AssertionError(f"{path.name} was analysed once more")

    monkeypatch.setattr(together, "analyze", gated)


def test_a_run_calls_by_its_calibration(lab: Path, tmp_path: Path) -> None:
    run = go(lab, tmp_path / "out", "few")
    assert run.calibration is not None
    assert (run.calibration.name, run.calibration.level, run.calibration.n) == ("few", "L1", 44)
    assert read_run(tmp_path / "out").calibration == run.calibration
    for name in "ab":
        found = result(tmp_path / "out", name)
        assert (found.pattern.pattern, found.pattern.calibration) == ("both-high", run.calibration)
        assert without_pattern(found) == without_pattern(result(lab / "first", name))
    assert result(lab / "first", "a").pattern.level == "L0"
    table = (tmp_path / "out" / "patterns.csv").read_text(encoding="utf-8")
    assert table.count(",both-high,,L1,few (") == 4  # two calls and their probabilities


@pytest.mark.usefixtures("no_analysis")
def test_another_calibration_changes_patterns_and_no_count(lab: Path, tmp_path: Path) -> None:
    out = _copied(lab / "first", tmp_path / "out")
    bare = tree(out)
    for calibration, pattern in (("few", "both-high"), ("many", "mesenchymal-low")):
        run = go(lab, out, calibration)
        assert run.exit_code == 0
        assert run.calibration is not None
        assert run.calibration.name == calibration
        for name in "ab":
            found = result(out, name)
            assert found.pattern.pattern == pattern
            assert without_pattern(found) == without_pattern(result(lab / "first", name))
            assert pattern in (out / "samples" / name / "report.html").read_text(encoding="utf-8")
    assert go(lab, out).calibration is None
    assert tree(out) == bare  # without a calibration every byte is as it was


@pytest.mark.usefixtures("no_analysis")
def test_the_same_calibration_once_more_writes_no_result(lab: Path, tmp_path: Path) -> None:
    out = _copied(lab / "first", tmp_path / "out")
    go(lab, out, "few")
    path = out / "samples" / "a" / "result.json"
    before = path.stat().st_ino, path.stat().st_mtime_ns
    go(lab, out, "few")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before


@pytest.mark.usefixtures("no_analysis")
def test_calling_anew_is_calling_in_the_run(lab: Path, tmp_path: Path) -> None:
    """``report --calibration`` needs no FCS file, and leaves what ``run --calibration`` leaves, but for its times."""
    run, anew = (_copied(lab / "first", tmp_path / name) for name in ("run", "anew"))
    go(lab, run, "few")
    render_again(anew, calibration=lab / "few.json")
    assert tree(anew) == tree(run)
    assert read_run(anew).calibration == read_run(run).calibration
    stays = tree(anew, but=())
    render_again(anew)
    assert tree(anew, but=()) == stays


@pytest.mark.usefixtures("no_analysis")
def test_pages_are_not_made_of_patterns_by_two_calibrations(lab: Path, tmp_path: Path) -> None:
    """Calling anew that was broken off has left some results with the new calibration, and the run with the old."""
    out, whole = (_copied(lab / "first", tmp_path / name) for name in ("out", "whole"))
    render_again(whole, calibration=lab / "few.json")
    (out / "samples" / "a" / "result.json").write_bytes((whole / "samples" / "a" / "result.json").read_bytes())
    with pytest.raises(InputError, match="the patterns of a are not by the calibration"):
        render_again(out)
    render_again(out, calibration=lab / "few.json")
    assert tree(out) == tree(whole)


def test_a_calibration_of_another_template_assigns_nothing(lab: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_bytes(calibration_bytes(controls()))
    out = _copied(lab / "first", tmp_path / "out")
    render_again(out, calibration=tmp_path / "other.json")
    call = result(out, "a").pattern
    assert (call.pattern, call.level) == ("not assigned", "L1")
    assert "was made with the template" in call.reason


@pytest.mark.usefixtures("no_analysis")
@pytest.mark.parametrize("content", [b"{}", b"no calibration", None])
def test_a_damaged_calibration_is_refused_before_any_tube(lab: Path, tmp_path: Path, content: bytes | None) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes((lab / "few.json").read_bytes().replace(b'"name": "few"', b'"name": "fez"'))
    if content is not None:
        bad.write_bytes(content)
    code = "calibration.seal" if content is None else "calibration.invalid"
    tubes = collect_tubes([lab / "a.fcs", lab / "b.fcs"], None).tubes
    out = _copied(lab / "first", tmp_path / "out")
    before = tree(out, but=())
    for folder in (tmp_path / "new", out):
        with pytest.raises(SpecificationError) as caught:
            run_batch(tubes, lab / "small.yaml", folder, options=BatchOptions(calibration=bad))
        assert (caught.value.code, caught.value.where) == (code, str(bad))
    assert not (tmp_path / "new").exists()
    with pytest.raises(SpecificationError) as caught:
        render_again(out, calibration=bad)
    assert caught.value.code == code
    assert tree(out, but=()) == before


def _copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to
