"""Boundaries of earlier batches on their way into a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stromagate.errors import InputError, SpecificationError, StromagateError
from stromagate.model.config import RunConfig
from stromagate.model.locks import LockedBoundary, LockedTube, Locks
from stromagate.pipeline import analyze, bundle, load_template
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.outside import read_locks
from stromagate.pipeline.tubes import collect_tubes
from tests.tubes import TEMPLATE, write_template, write_tube

# The boundary of CD271 between the medians of leukocytes and of all that is CD45-negative.
LOCKED = TEMPLATE.replace(
    "{method: fixed, axis: CD271, low: 0.45}",
    "{method: locked, axis: CD271, keep: above, boundary: msc, negative: cells, positive: cd45neg, min_batches: 2, "
    "min_events: 20, otherwise: {method: fixed, low: 0.45}}",
).replace("{method: valley, axis: CD45, keep: below, otherwise: tail}", "{method: fixed, axis: CD45, high: 0.5}")


def locks(**changes: Any) -> Locks:
    tubes = [
        {
            "batch": f"b{n}",
            "sample_id": f"t{n}",
            "sha256": "0" * 64,
            "cut": 2000 + n,
            "negative": 60,
            "positive": 11_000,
        }
        for n in range(3)
    ]
    boundary = LockedBoundary(
        population="msc",
        axis="CD271",
        negative="cells",
        positive="cd45neg",
        tubes=tuple(LockedTube.model_validate(tube) for tube in tubes),
    )
    made = {"template": "small", "template_sha256": "1" * 64, "boundaries": (boundary,)}
    return Locks.model_validate({**made, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tube(tmp_path / "a.fcs")
    write_template(tmp_path / "t.yaml", LOCKED)
    (tmp_path / "locks.json").write_bytes(bundle.to_json_bytes(locks()))
    return tmp_path


def test_locked_gates_are_placed_by_the_runs_locks(folder: Path) -> None:
    without = analyze(folder / "a.fcs", folder / "t.yaml").tree.node("msc")
    assert (without.method, without.state) == ("fixed", "fallback")
    found = analyze(folder / "a.fcs", folder / "t.yaml", RunConfig(locks=str(folder / "locks.json")))
    node = found.tree.node("msc")
    assert (node.method, node.state) == ("locked", "fitted")
    assert found.record.config.locks == "locks.json"
    assert set(found.record.config.file_sha256) == {"locks"}
    (finding,) = [finding for finding in found.findings if finding.code == "Q46"]
    assert finding.status == "warn"
    assert "another version of 'small'" in finding.sentence


def test_locks_of_this_very_template_are_no_finding(folder: Path) -> None:
    same = locks(template_sha256=load_template(folder / "t.yaml").sha256)
    (folder / "locks.json").write_bytes(bundle.to_json_bytes(same))
    found = analyze(folder / "a.fcs", folder / "t.yaml", RunConfig(locks=str(folder / "locks.json")))
    assert [finding.status for finding in found.findings if finding.code == "Q46"] == ["pass"]
    without = analyze(folder / "a.fcs", folder / "t.yaml")
    assert [finding.status for finding in without.findings if finding.code == "Q46"] == ["not_applicable"]


def test_other_locks_are_another_configuration(folder: Path) -> None:
    tubes = collect_tubes([folder / "a.fcs"]).tubes
    out, config = folder / "out", RunConfig(locks=str(folder / "locks.json"))
    run_batch(tubes, folder / "t.yaml", out, config)
    old = bundle.read_result(out, "a")
    moved = locks().boundaries[0]
    tubes_moved = tuple(tube.model_copy(update={"cut": 4000.0}) for tube in moved.tubes)
    changed = locks(boundaries=[moved.model_copy(update={"tubes": tubes_moved}).model_dump()])
    (folder / "locks.json").write_bytes(bundle.to_json_bytes(changed))
    run_batch(tubes, folder / "t.yaml", out, config)
    assert bundle.read_result(out, "a").tree.node("msc").geometry != old.tree.node("msc").geometry


@pytest.mark.parametrize(
    ("content", "kind", "code", "words"),
    [
        (None, InputError, "file.missing", "there is no such file"),
        (b"{", SpecificationError, "locks.invalid", "Invalid JSON"),
        (b"\xff\xfe", SpecificationError, "locks.invalid", "JSON"),
        (b'{"format": "stromagate.locks/9"}', SpecificationError, "locks.invalid", "format"),
        (
            bundle.to_json_bytes(locks(template="other")),
            SpecificationError,
            "locks.template",
            "'other', not with 'small'",
        ),
    ],
)
def test_bad_locks_stop_a_run_before_it_begins(
    folder: Path, content: bytes | None, kind: type[StromagateError], code: str, words: str
) -> None:
    path = folder / "bad.json"
    if content is not None:
        path.write_bytes(content)
    tubes = collect_tubes([folder / "a.fcs"]).tubes
    with pytest.raises(kind, match=words) as wrong:
        run_batch(tubes, folder / "t.yaml", folder / "out", RunConfig(locks=str(path)))
    assert wrong.value.code == code
    assert not (folder / "out").exists()


def test_a_folder_is_no_locks(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_locks(tmp_path)
