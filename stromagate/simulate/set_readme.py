"""The page that lies beside a simulated set, so that nobody takes its tubes for patients."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from stromagate.simulate.keywords import SIMULATOR_VERSION
from stromagate.simulate.marrow import preparation
from stromagate.simulate.panel import DETECTORS
from stromagate.simulate.populations import POPULATIONS
from stromagate.simulate.stromal_cells import CD146_OF_MSC
from stromagate.simulate.tube import TubeOrder

_TEXT = """# Synthetic tubes with known truth

**No cell and no person stands behind these files.** They were made by `stromagate.simulate` (simulator
{version}, seed {seed}, numpy {numpy}) to try the software out and to test it. Every file says so itself:
`STROMAGATE_SIMULATED` is `yes`.

{preparation}

| marrow | what is in it |
|---|---|
{marrows}

Names say composition only. No outcome belongs to any of them, and the simulator knows of none. MSC shares above are per
million nucleated cells of the whole marrow.

| file | what |
|---|---|
| `samples.csv` | the sample sheet: `stromagate run --sheet samples.csv --template bm_stroma_core --out results` |
| `*_stained.fcs` | all antibodies; `*_fmo_CD146.fcs`, `*_fmo_CD271.fcs`: all but that one, other cells of that marrow |
| `truth.csv` | true counts: `particles` all, `viable` the living, `viable_singlets` what a perfect gate would count |
| `*.truth.npz` | what every event is, in the order of the file (numpy arrays, see below) |
| `MANIFEST.csv` | SHA-256, size and purpose of every file |
| `controls_calibration.json` | beside the shipped set only: 44 simulated controls, by which patterns are called |

{panel}

`*.truth.npz` holds `primary`, `secondary` and `flags`, one unsigned byte an event, and `populations`, the names that
the first two count into (secondary 255: one particle only). `flags` adds up 1 (first particle dead), 2 (second one
dead), 4 (two cells stuck together), 8 (two particles in the beam by chance). Progenitors are the MSC whose CD146 lies
at or above the middle of its continuum ({cut:,.0f} units above autofluorescence), whether or not the
tube was stained for it.

{populations}
"""

_ENRICHED = (
    " Enriched tubes hold many times more stroma than marrow does: **their rates are not those of an aspirate**."
)


def readme(tubes: Sequence[TubeOrder]) -> str:
    """Return the README.md of a set of tubes of one preparation and seed."""
    first = tubes[0]
    prepared = preparation(first.prepared)
    marrows = {order.donor: order.scenario for order in tubes}
    rows = [
        f"| `{donor}` | {made.title}: {made.msc_ppm:g} MSC per million, {made.cd146_share_frac:.0%} with CD146 |"
        for donor, made in marrows.items()
    ]
    populations = [f"{code} `{each.name}` {each.title}" for code, each in enumerate(POPULATIONS)]
    return _TEXT.format(
        version=SIMULATOR_VERSION,
        seed=first.seed,
        numpy=np.__version__,
        preparation=_filled(f"Preparation: `{prepared.name}`, {prepared.title}.{_ENRICHED if prepared.beads else ''}"),
        marrows="\n".join(rows),
        panel=_filled(
            f"Panel: {', '.join(f'{detector.marker} ({detector.dye})' for detector in DETECTORS)}. "
            "`$SPILLOVER` is the true matrix."
        ),
        cut=10**CD146_OF_MSC.cut_log10,
        populations=_filled(f"Populations: {'; '.join(populations)}."),
    )


def _filled(text: str) -> str:
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)
