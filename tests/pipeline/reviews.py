"""A finished run of small tubes to review, and edits of its boundaries."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from stromagate.fcs import hash_file
from stromagate.model.edits import SampleEdits
from stromagate.model.gates import Geometry, Interval
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.bundle import read_result
from stromagate.pipeline.review.fitted import moved
from stromagate.pipeline.review.store import ReviewStore
from stromagate.pipeline.tubes import collect_tubes
from tests.tubes import write_template, write_tube

WHO, WHY = "Reader B", "dim events are background"


class Folder:
    """Finds FCS files below one folder by their content."""

    def __init__(self, folder: Path) -> None:
        self.folders = (folder,)

    def find(self, sha256: str, name: str) -> Path | None:
        files = sorted(self.folders[0].rglob("*.fcs"))
        by_content = (path for path in files if hash_file(path) == sha256)
        return next(by_content, None) or next((path for path in files if not sha256 and path.name == name), None)


def finished_run(folder: Path, names: Sequence[str] = "ab") -> Path:
    """Write small tubes and a template, run them, and return the folder of results."""
    (folder / "in").mkdir(parents=True)
    for seed, name in enumerate(names):
        write_tube(folder / "in" / f"{name}.fcs", seed, 1500)
    run_batch(collect_tubes([folder / "in"]).tubes, write_template(folder / "small.yaml"), folder / "out")
    return folder / "out"


def copied(run: Path, folder: Path) -> Path:
    """Return a copy of a finished run, its tubes and its template beside it."""
    return shutil.copytree(run.parent, folder / "bench") / "out"


def cut(low: float, axis: str = "CD271") -> Interval:
    return Interval(axis, low, None)


def edits(
    out: Path,
    sample_id: str = "a",
    *,
    before: SampleEdits | None = None,
    who: str = WHO,
    why: str = WHY,
    **boundaries: Geometry | None,
) -> SampleEdits | None:
    """Return edits of a tube; by default ``msc`` is cut higher."""
    wanted = boundaries or {"msc": cut(0.7)}
    return moved(read_result(out, sample_id), before, wanted, who=who, why=why, when="2026-03-01T18:00:00Z")


def put(store: ReviewStore, sample_id: str = "a", low: float = 0.7, *, expected: int | None = None) -> int:
    """Move one boundary of a tube on what stands there."""
    asked = edits(store.folder, sample_id, before=store.of(sample_id), msc=cut(low))
    return store.put(sample_id, asked, expected=store.revision() if expected is None else expected, who=WHO, why=WHY)
