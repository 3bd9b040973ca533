"""One tube with one run, for what reads exports back that are made from its events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from stromagate.fcs import read_fcs, write_fcs
from stromagate.model.result import SampleResult
from stromagate.model.sample import Sample
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import BatchOptions, run_batch
from stromagate.pipeline.tubes import collect_tubes
from tests.tubes import NAMES, SPILLOVER, STAINS, write_template, write_tube

FORMATS = ("clr", "h5ad")


@dataclass(frozen=True)
class Exported:
    """The tube, and its run with the exports."""

    fcs: Path
    template: Path
    out: Path
    sample: Sample
    result: SampleResult

    @property
    def home(self) -> Path:
        """Where the files of the tube lie."""
        return self.out / "samples" / "a"

    def run(self, *exports: str) -> None:
        """Run it again; the tube is kept."""
        tubes = collect_tubes([self.fcs]).tubes
        run_batch(tubes, self.template, self.out, options=BatchOptions(exports=exports or FORMATS))


@pytest.fixture(scope="package")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A tube with a gain on a marker, a detector without one, and values that are no numbers."""
    folder = tmp_path_factory.mktemp("exported")
    plain = read_fcs(write_tube(folder / "plain.fcs"))
    events = np.column_stack([plain.events, np.arange(plain.n_events)]).astype(np.float32)
    events[:, 4] *= 2
    events[5, 5] = np.nan
    (folder / "in").mkdir()
    fcs, template = folder / "in/a.fcs", write_template(folder / "t.yaml")
    words = {"$SPILLOVER": SPILLOVER, "$P5G": "2", "$TIMESTEP": "1"}
    write_fcs(fcs, events, [*NAMES, "BV421-A"], labels=[*STAINS, "CD3"], keywords=words)
    run_batch(collect_tubes([fcs]).tubes, template, folder / "out", options=BatchOptions(exports=FORMATS))
    return Exported(fcs, template, folder / "out", read_fcs(fcs), bundle.read_result(folder / "out", "a"))
