"""From runs on disk to a laboratory's blanks and back into a run: what counts, what is left out, what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stromagate.cli.app import app
from stromagate.errors import InputError, SpecificationError, UsageError
from stromagate.model.blanks import Blanks, BlankTube
from stromagate.model.config import RunConfig
from stromagate.model.result import Finding, RunIndex, SampleEntry, SampleResult
from stromagate.pipeline import analyze, load_template
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.blanks import gather
from stromagate.pipeline.bundle import RUN_FILE, open_folder, to_json_bytes, write_file, write_sample
from stromagate.pipeline.outside import blanks_of
from stromagate.pipeline.tubes import collect_tubes
from tests.results import make_result
from tests.tubes import write_template, write_tube

_STILL = "The flow stood still."


@dataclass(frozen=True)
class T:
    """One tube of an invented run: events of its populations, and what its sheet says of it."""

    name: str
    msc: int | None = 6
    nucleated: int = 1_000_000
    stroma: int = 100
    role: str = "blank"
    day: str = ""
    batch: str = "b1"
    lot: str = ""
    failing: str = ""
    sha256: str = ""


def result(tube: T, template_sha256: str) -> SampleResult:
    plain = make_result()
    counts: dict[str, float | None] = {
        "msc": tube.msc,
        "progenitors": None if tube.msc is None else tube.msc // 2,
        "nucleated": tube.nucleated,
        "stroma": tube.stroma,
    }
    rows = [
        row.model_copy(update={"value": counts[row.population]})
        if row.statistic == "count" and row.population in counts
        else row
        for row in plain.statistics
    ]
    labels = {"role": tube.role, "day": tube.day, "batch": tube.batch, "lot": tube.lot}
    return make_result(
        sample_id=tube.name,
        source=replace(plain.source, path=f"{tube.name}.fcs", sha256=tube.sha256 or tube.name.ljust(64, "0")),
        labels={key: word for key, word in labels.items() if word},
        statistics=tuple(rows),
        template=plain.template.model_copy(update={"sha256": template_sha256}),
        findings=(
            Finding(code=tube.failing or "Q05", check="", status="fail" if tube.failing else "warn", sentence=_STILL),
        ),
    )


def run(folder: Path, *tubes: T, template_sha256: str = "7a" * 32, failed: tuple[str, ...] = ()) -> Path:
    """Write an invented run as a finished one."""
    results = [result(tube, template_sha256) for tube in tubes]
    entries = [SampleEntry(sample_id=each.sample_id, file=each.source.path, status="ok") for each in results]
    blank = {"role": "blank"}
    entries += [SampleEntry(sample_id=name, file=f"{name}.fcs", status="failed", labels=blank) for name in failed]
    template = results[0].template if results else None
    index = RunIndex(stromagate="0.1.0", template=template, config=make_result().record.config, samples=tuple(entries))
    with open_folder(folder, [entry.sample_id for entry in entries], force=False):
        for each in results:
            write_sample(folder, each.sample_id, {"result.json": to_json_bytes(each)})
        write_file(folder / RUN_FILE, to_json_bytes(index))
    return folder


def test_blanks_of_several_runs_are_gathered_with_day_and_lot(tmp_path: Path) -> None:
    first = run(tmp_path / "one", T("a", day="d1", lot="L1"), T("b", batch="x"), T("s", role="stained"))
    second = run(tmp_path / "two", T("c", msc=12, batch=""))
    made = gather([first, second])
    assert [(tube.sample_id, tube.day, tube.lot) for tube in made.blanks.tubes] == [
        ("a", "d1", "L1"),
        ("b", "x", ""),
        ("c", "two", ""),
    ]
    assert made.blanks.tubes[0].counts == {
        "all": 1_200_000,
        "nucleated": 1_000_000,
        "msc": 6,
        "progenitors": 3,
    }
    assert (made.blanks.days, made.blanks.lots) == (("d1", "x", "two"), ("L1",))
    assert made.lacking == ("3 of 20 blanks", "1 of 2 lots")
    msc = made.summaries[0]
    assert (msc.population, msc.denominator, msc.expected.counted, msc.expected.mean) == ("msc", "nucleated", 24, 8)
    assert msc.lob == 14
    assert made.left_out == ()


def test_blanks_that_differ_are_said_to(tmp_path: Path) -> None:
    counts = (0, 30, 2, 16, 2)
    made = gather([run(tmp_path / "one", *(T(f"t{i}", msc=n) for i, n in enumerate(counts)))])
    assert made.summaries[0].method == "negative binomial"
    assert made.summaries[0].expected.dispersion == pytest.approx(16.6)


def test_many_blanks_speak_for_themselves(tmp_path: Path) -> None:
    tubes = [T(f"t{i:02}", msc=i, day=f"d{i % 3}", lot=f"L{i % 2}") for i in range(1, 21)]
    made = gather([run(tmp_path / "one", *tubes)])
    assert made.lacking == ()


def test_a_blank_without_stroma_has_no_msc_though_its_gate_was_not_placed(tmp_path: Path) -> None:
    made = gather([run(tmp_path / "one", T("a", msc=None, stroma=0), T("b", msc=None, stroma=7), T("c"))])
    assert [tube.sample_id for tube in made.blanks.tubes] == ["a", "c"]
    assert made.blanks.tubes[0].counts["msc"] == 0
    assert [(item.sample_id, item.reason) for item in made.left_out] == [("b", "msc could not be evaluated")]


def test_tubes_that_cannot_be_counted_on_are_left_out_and_said(tmp_path: Path) -> None:
    folder = run(
        tmp_path / "one",
        T("good"),
        T("still", failing="Q05"),
        T("few", failing="Q07"),
        T("again", sha256="good".ljust(64, "0")),
        failed=("gone",),
    )
    made = gather([folder])
    assert [tube.sample_id for tube in made.blanks.tubes] == ["good", "few"]
    assert {item.sample_id: item.reason for item in made.left_out} == {
        "gone": "the tube failed",
        "still": "its finding Q05 is a failure: The flow stood still.",
        "again": "its file is that of good",
    }


def test_runs_without_blanks_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match="no blank that could be counted") as caught:
        gather([run(tmp_path / "one", T("a", role="fmo:CD271"))])
    assert "role `blank`" in (caught.value.hint or "")
    with pytest.raises(SpecificationError) as caught:
        gather([run(tmp_path / "two", T("a", failing="Q05"))])
    assert "a: its finding Q05" in (caught.value.hint or "")


def test_runs_of_other_templates_are_refused(tmp_path: Path) -> None:
    first, second = run(tmp_path / "one", T("a")), run(tmp_path / "two", T("b"), template_sha256="8b" * 32)
    with pytest.raises(SpecificationError, match=r"not of one template: .*one used bm_test .*7a7a.*8b8b") as caught:
        gather([first, second])
    assert caught.value.code == "blanks.templates"
    with pytest.raises(SpecificationError, match="not with bm_stroma_core"):
        gather([first], load_template("bm_stroma_core"))


def test_folders_are_named_once_and_hold_runs(tmp_path: Path) -> None:
    folder = run(tmp_path / "one", T("a"))
    with pytest.raises(UsageError, match="named twice"):
        gather([folder, folder / ".." / "one"])
    with pytest.raises(InputError) as caught:
        gather([tmp_path])
    assert caught.value.code == "run.none"


# --- the command, and the run that reads what it wrote


def called(*args: object) -> Any:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_the_command_says_what_it_gathered(tmp_path: Path) -> None:
    folder, out = run(tmp_path / "one", T("a"), T("b", failing="Q05")), tmp_path / "blanks.json"
    done = called("blanks", folder, "--out", out)
    assert done.exit_code == 0
    assert "blanks 1, days 1, no lot known (column `lot` of the sheet)" in done.stdout
    assert "msc: 6 in a million nucleated (6 events); limit of blank in a million: 13 (Poisson)" in done.stdout
    assert "no percentile of their own yet: 1 of 20 blanks, 1 of 3 days, 0 of 2 lots" in done.stdout
    assert "b is left out" in done.stderr
    assert Blanks.model_validate_json(out.read_bytes()) == gather([folder]).blanks
    said = json.loads(called("blanks", folder, "--out", out, "--json").stdout)
    assert (said["ok"], said["blanks"], said["populations"][0]["lob_per_million"]) == (True, 1, 13)


def document(sha256: str, *counts: int, cells: int = 2000) -> Blanks:
    tubes = tuple(
        BlankTube(sample_id=f"t{i}", day=f"d{i}", counts={"all": 3000, "cells": cells, "msc": n, "progenitors": 0})
        for i, n in enumerate(counts)
    )
    return Blanks(template="small", template_sha256=sha256, tubes=tubes)


@pytest.fixture(scope="module")
def tube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    write_tube(folder / "a.fcs", 0, 6000)
    write_template(folder / "t.yaml")
    return folder


def _with(folder: Path, blanks: Blanks) -> RunConfig:
    (folder / "blanks.json").write_bytes(to_json_bytes(blanks))
    return RunConfig(blanks=str(folder / "blanks.json"))


def test_a_run_reads_its_limits_from_the_blanks(tube: Path) -> None:
    loaded = load_template(tube / "t.yaml")
    found = analyze(tube / "a.fcs", loaded, _with(tube, document(loaded.sha256, 30, 28, 32)))
    limits = {each.population: each for each in found.detection}["msc"]
    cells = found.count("cells")
    assert cells is not None
    assert (limits.source, limits.n_blanks, limits.method) == ("blanks", 3, "Poisson")
    assert limits.blank_events == pytest.approx(90 * cells / 6000)
    rows = {row.statistic: row for row in found.statistics if (row.population, row.marker) == ("msc", "blanks")}
    assert rows["background"].n == 90
    assert rows["lob"].value == limits.lob_events
    assert found.record.config.blanks == "blanks.json"
    assert "blanks" in found.record.config.file_sha256


def test_blanks_of_another_template_are_refused_before_any_tube_is_touched(tube: Path, tmp_path: Path) -> None:
    config = _with(tube, document("8b" * 32, 1))
    with pytest.raises(SpecificationError, match="counted with another version of 'small'") as caught:
        run_batch(collect_tubes([tube / "a.fcs"], None).tubes, tube / "t.yaml", tmp_path / "out", config)
    assert caught.value.code == "blanks.template"
    assert not (tmp_path / "out").exists()
    other = document("8b" * 32, 1).model_copy(update={"template": "large"})
    with pytest.raises(SpecificationError, match="counted with the template 'large', not with 'small'"):
        blanks_of(_with(tube, other), load_template(tube / "t.yaml"))


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"format": "stromagate.locks/1"}'])
def test_what_is_no_document_of_blanks_is_refused(tube: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(SpecificationError) as caught:
        blanks_of(RunConfig(blanks=str(path)), load_template(tube / "t.yaml"))
    assert caught.value.code == "blanks.invalid"
    with pytest.raises(InputError) as missing:
        blanks_of(RunConfig(blanks=str(tmp_path / "none.json")), load_template(tube / "t.yaml"))
    assert missing.value.code == "blanks.unreadable"
