"""Gates locked over earlier batches: the variant of the template that has them, and the batches they are locked over.

The variant is the shipped template with one population more and another rule for CD271: ``cd271pos`` takes the boundary
of earlier batches, and only where there is none does it do as in the shipped template. It is measured from CD31- CD34-
cells to ``cd271bright``, which the variant adds: in the shipped template no population is rich in CD271 but by the gate
that is to be locked.

CD146 cannot be locked: on these cells it is a continuum, so that its boundary is always said to be not separable, and
``lock`` takes no such boundary.
"""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.accuracy.plan import ENRICHED, RATES_PER_S, SPIKED
from benchmarks.accuracy.seeds import TUNING_SEEDS
from stromagate.model.locks import Locks
from stromagate.pipeline import load_template
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.job import BatchOptions
from stromagate.pipeline.lock import lock, wanted_by
from stromagate.pipeline.tubes import collect_tubes
from stromagate.simulate import Request, TubeOrder, orders_of, scenario
from stromagate.simulate.delivery import SHEET, deliver
from stromagate.templates import LoadedTemplate

BATCHES = 5
EVENTS = 150_000
GATE = "cd271pos"
NEGATIVE = "cd31neg_cd34neg"
POSITIVE = "cd271bright"
_BRIGHT_MADS = 6.0  # own choice, beyond what the shipped gate falls back on (5.5); at 9 half of the MSC are lost
_FMO = ("fmo:CD271", "fmo:CD146")


@cache
def locked_template(shipped: str) -> LoadedTemplate:
    """Return a shipped template with its CD271 gate locked; what it was is what it falls back on."""
    with tempfile.TemporaryDirectory() as folder:
        return load_template(_write_variant(shipped, Path(folder)))


def gather(shipped: str, family: str, *, batches: int = BATCHES, n_events: int = EVENTS, jobs: int = 1) -> Locks:
    """Lock the gates over batches of a lab, by the code of the verb ``lock``.

    Parameters
    ----------
    shipped : str
        Name of the template.
    family : str
        Family of tubes of the simulator, that of the tubes which are scored.
    batches : int
        A week apart, each with a gain and lots of its own (the first with the usual gain), and each with the stained
        tube and two FMO tubes of another donor, of a tuning seed.
    n_events : int
        Events of a stained tube.
    jobs : int
        Processes.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = _write_variant(shipped, folder)
        deliver(orders(family, batches, n_events), folder / "tubes", force=True)
        listed = collect_tubes([], folder / "tubes" / SHEET)
        run_batch(listed.tubes, template, folder / "run", options=BatchOptions(jobs=jobs))
        return lock([folder / "run"], wanted_by(load_template(template))).locks


def orders(family: str, batches: int, n_events: int) -> list[TubeOrder]:
    """Return the tubes of the earlier batches, oldest first."""
    found = []
    for number, seed in enumerate(TUNING_SEEDS[:batches], 1):
        request = Request(
            scenarios=[scenario(SPIKED)],
            seeds=(seed,),
            n_events=n_events,
            companions=_FMO,
            prepared=ENRICHED,
            family=family,
            rate_per_s=RATES_PER_S[ENRICHED],
            batches=batches,
        )
        made = [order for order in orders_of(request)[0] if isinstance(order, TubeOrder)]
        found += [order for order in made if order.batch == f"batch_{number:02d}"]
    return found


def _write_variant(shipped: str, folder: Path) -> Path:
    document = load_template(shipped).template.model_dump(mode="json")
    document["name"] = f"{document['name']}_locked"
    populations: list[dict[str, Any]] = []
    for population in document["populations"]:
        if population["name"] == GATE:
            populations.append(_bright(population["parent"]))
            population["gate"] = _locked(population["gate"])
        populations.append(population)
    document["populations"] = populations
    path = folder / f"{document['name']}.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")  # whatever is JSON is YAML too
    return path


def _bright(parent: str) -> dict[str, Any]:
    gate = {"method": "tail", "axis": "CD271", "keep": "above", "negative": "dominant", "mads": _BRIGHT_MADS}
    return {"name": POSITIVE, "parent": parent, "label": "CD271-bright cells", "gate": gate}


def _locked(gate: dict[str, Any]) -> dict[str, Any]:
    where = {"method": "locked", "axis": gate["axis"], "keep": gate["keep"], "boundary": GATE}
    return {**where, "negative": NEGATIVE, "positive": POSITIVE, "otherwise": gate}
