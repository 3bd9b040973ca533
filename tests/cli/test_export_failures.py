"""An export of events that cannot be written: the tube's numbers stand, and nobody takes the file for written."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from stromagate.errors import InputError, OutputError, SpecificationError, UsageError
from stromagate.export.asked import made_by_run_only, of_events
from stromagate.fcs import read_fcs
from stromagate.gating.replay import members_of
from stromagate.pipeline import analyze, batch, bundle, export_events, gated_files
from stromagate.pipeline.job import Outcome
from stromagate.pipeline.review.verify import verify
from tests.tubes import write_template, write_tube

FULL = OutputError("file.unwritable", "the file cannot be written: No space left on device", hint="free space")


@pytest.fixture
def ran(call, tubes: Path, tmp_path: Path) -> Path:
    """A run of two tubes with an export of events."""
    out = tmp_path / "out"
    assert run(call, tubes, out).exit_code == 0
    return out


def run(call, tubes: Path, out: Path, *options: str):
    asked = ("--export", "gated_fcs", "--export", "clr", "--export", "ro_crate")
    return call("run", tubes / "a.fcs", tubes / "b.FCS", "-t", tubes / "small.yaml", "-o", out, *asked, *options)


def fail_for_b(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    read = gated_files.read_tube

    def broken(path: Path, *rest):
        if path.name == "b.FCS":
            raise error
        return read(path, *rest)

    monkeypatch.setattr(gated_files, "read_tube", broken)


def test_what_stands_in_the_way_costs_a_line_the_exit_code_and_no_result(
    call, said, tubes: Path, ran: Path, tmp_path: Path
) -> None:
    numbers = (ran / "samples/a/result.json").read_bytes()
    (ran / "samples/a/gated.fcs").unlink()
    (ran / "samples/a/gated.fcs").mkdir()
    result = run(call, tubes, ran, "--json", "--log-json", str(tmp_path / "log.jsonl"))
    assert result.exit_code == 3
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    (line,) = [line for line in logged if line["stage"] == "export"]
    assert (line["sample_id"], line["code"], line["message"]) == ("a", "file.unwritable", "gated.fcs not written")
    assert "not exported: samples/a/gated.fcs: the file cannot be written: Is a directory" in result.stderr
    assert "2 of 2 tubes analysed" in result.stderr
    answer = said(result)
    assert (answer["ok"], answer["error"]["code"]) == (False, "file.unwritable")
    index = bundle.read_run(ran)
    assert (index.exit_code, [entry.status for entry in index.samples]) == (3, ["ok", "ok"])
    assert index.not_exported == {"samples/a/gated.fcs": answer["error"]}
    assert answer["error"]["where"] == "samples/a/gated.fcs"
    assert answer["error"]["hint"].endswith("; what lies there now is not of this run")
    assert (ran / "samples/a/result.json").read_bytes() == numbers
    assert (ran / "samples/a/membership.clr").is_file()  # one export does not cost another
    assert (ran / "samples/b/gated.fcs").is_file()
    assert not list(ran.rglob("*.partial"))


def test_it_is_said_on_the_page_and_in_no_list_of_files_and_taken_back(
    call, tubes: Path, ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, crate = (ran / "index.html").read_bytes(), ran / "ro-crate-metadata.json"
    assert "samples/b/gated.fcs" in crate.read_text()
    with monkeypatch.context() as patch:
        fail_for_b(patch, FULL)
        assert run(call, tubes, ran).exit_code == 3
    page = (ran / "index.html").read_text()
    assert "samples/b/gated.fcs" in page
    assert FULL.message in page
    assert "samples/a/gated.fcs" not in page
    assert "samples/b/gated.fcs" not in crate.read_text()
    assert "samples/a/gated.fcs" in crate.read_text()
    assert not (ran / "samples/b/gated.fcs").exists()  # that of the earlier run could be of other boundaries
    assert verify(ran).differences == []
    assert call("report", ran).exit_code == 0
    assert set(bundle.read_run(ran).not_exported) == {"samples/b/gated.fcs", "samples/b/membership.clr"}
    assert (ran / "index.html").read_text() == page
    assert run(call, tubes, ran).exit_code == 0
    assert bundle.read_run(ran).not_exported == {}
    assert (ran / "index.html").read_bytes() == before


def test_a_file_that_is_changed_meanwhile_is_not_exported(
    call, tubes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it has as many events in every population as before."""
    tube, read = Path(shutil.copy(tubes / "a.fcs", tmp_path)), gated_files.read_tube

    def changed(path: Path, *rest):
        path.write_bytes(path.read_bytes() + b" ")
        return read(path, *rest)

    monkeypatch.setattr(gated_files, "read_tube", changed)
    out = tmp_path / "out"
    assert call("run", tube, "-t", tubes / "small.yaml", "-o", out, "--export", "clr").exit_code == 3
    (error,) = bundle.read_run(out).not_exported.values()
    assert (error["code"], error["where"]) == ("export.changed", "a.fcs")
    assert not (out / "samples/a/membership.clr").exists()


def test_what_an_earlier_run_left_and_cannot_go_is_said(call, tubes: Path, ran: Path) -> None:
    (ran / "samples/a/gated.fcs").unlink()
    (ran / "samples/a/gated.fcs").mkdir()
    result = call("run", tubes / "a.fcs", tubes / "b.FCS", "-t", tubes / "small.yaml", "-o", ran)
    assert result.exit_code == 3
    assert "what an earlier run left cannot be taken away" in result.stderr
    assert bundle.read_run(ran).not_exported["samples/a/gated.fcs"]["code"] == "export.old_file"
    assert [path.name for path in ran.rglob("*") if path.suffix in {".fcs", ".clr"}] == ["gated.fcs"]


def test_a_fault_of_ours_is_called_one(call, tubes: Path, ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_for_b(monkeypatch, ValueError("odd"))
    result = run(call, tubes, ran, "--debug")
    assert result.exit_code == 1
    assert "ValueError: odd" in result.stderr
    assert "Traceback" in result.stderr
    index = json.loads((ran / "run.json").read_text())
    assert index["not_exported"]["samples/b/gated.fcs"]["code"] == "internal"
    assert [entry["status"] for entry in index["samples"]] == ["ok", "ok"]


@contextmanager
def files_end_at(n_bytes: int) -> Iterator[None]:
    """Let no file of this process grow further, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", sorted(made_by_run_only()))
def test_a_full_disk_leaves_no_half_of_a_file(name: str, tubes: Path, tmp_path: Path) -> None:
    result, sample = analyze(tubes / "a.fcs", tubes / "small.yaml"), read_fcs(tubes / "a.fcs")
    file = made_by_run_only()[name]
    write, members = of_events([name])[file], members_of(sample, result.tree)
    (tmp_path / file).write_bytes(b"older")
    with files_end_at(1000), pytest.raises(OutputError, match="cannot be written: File too large") as caught:
        write(result, sample, members, tmp_path / file)
    assert caught.value.code == "file.unwritable"
    assert caught.value.hint
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {file: b"older"}
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        write(result, sample, members, tmp_path / "nowhere" / file)
    write(result, sample, members, tmp_path / file)
    assert (tmp_path / file).stat().st_size > 1000


def test_from_python_one_tube_is_exported_without_a_folder_of_results(tmp_path: Path) -> None:
    tube, template = write_tube(tmp_path / "a.fcs", n=400), write_template(tmp_path / "t.yaml")
    result = analyze(tube, template)
    export_events("clr", result, tube, tmp_path / "a.clr")
    assert len((tmp_path / "a.clr").read_text().splitlines()) == 401
    other = write_tube(tmp_path / "b.fcs", 1, n=400)
    with pytest.raises(UsageError, match="not the file that was analysed") as caught:
        export_events("clr", result, other, tmp_path / "b.clr")
    assert caught.value.code == "export.other_file"
    with pytest.raises(SpecificationError, match="no export named 'crl' is made from events") as wrong:
        export_events("crl", result, tube, tmp_path / "b.clr")
    assert wrong.value.hint.startswith("did you mean 'clr'?")
    with pytest.raises(InputError):
        export_events("clr", result, tmp_path / "gone.fcs", tmp_path / "b.clr")
    assert not (tmp_path / "b.clr").exists()


class KilledOver:
    """Workers of which one is killed while it writes an export of ``b``, after its result."""

    elsewhere = False

    def each(self, function, jobs, *, lost) -> Iterator[Outcome]:
        for job in jobs:
            outcome = function(job)
            yield lost(job) if job.tube.sample_id == "b" else outcome


def test_a_process_that_is_killed_over_an_export_costs_the_export(
    call, tubes: Path, ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = (ran / "samples/b/result.json").read_bytes()
    monkeypatch.setattr(batch, "workers", lambda *_: nullcontext(KilledOver()))
    done = run(call, tubes, ran)
    assert done.exit_code == 1
    index = bundle.read_run(ran)
    assert [entry.status for entry in index.samples] == ["ok", "ok"]
    assert set(index.not_exported) == {"samples/b/gated.fcs", "samples/b/membership.clr"}
    assert {error["code"] for error in index.not_exported.values()} == {"worker.killed"}
    assert not any((ran / path).exists() for path in index.not_exported)
    assert (ran / "samples/b/result.json").read_bytes() == numbers
    assert verify(ran).differences == []
    # With --force what lies there may be of an earlier run.
    assert run(call, tubes, ran, "--force").exit_code == 1
    assert [entry.status for entry in bundle.read_run(ran).samples] == ["ok", "failed"]
    assert not (ran / "samples/b").exists()
