"""How much of a target is background: fired by controls that hold as much, silent on clean ones and on small ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stromagate.model.detection import BackgroundCount, DetectionLimits
from stromagate.qc import Evidence
from tests.qc.evidence import ask, make_evidence, rare_rows


def blank(events: int, *, scale: float = 1.0, **more: Any) -> BackgroundCount:
    shown = {"population": "msc", "role": "fmo:CD271", "n_blanks": 1, "scaled_by": "viable"}
    limits = {"low": 0.6 * events * scale, "high": 1.6 * (events + 3) * scale}
    return BackgroundCount(events=events, scale=scale, **{**shown, **limits, **more})


def tube(*background: BackgroundCount) -> Evidence:
    """The good tube: 120 MSC, of which 60 are progenitors."""
    return replace(make_evidence(), background=background)


def of(evidence: Evidence, population: str = "msc") -> tuple[str, str]:
    found = {finding.population: finding for finding in ask("background", evidence)}[population]
    assert bool(found.remedy) == (found.status in {"warn", "fail"})
    return found.status, found.sentence


@pytest.mark.parametrize(("events", "status"), [(0, "pass"), (5, "pass"), (24, "pass"), (25, "warn"), (61, "fail")])
def test_a_fifth_is_a_warning_and_half_a_failure(events: int, status: str) -> None:
    assert of(tube(blank(events)))[0] == status


def test_the_sentence_names_the_control_and_both_numbers() -> None:
    assert of(tube(blank(15, scale=2.0))) == (
        "warn",
        "15 events of msc in the FMO-CD271 control: scaled to this tube, 25.0 % of its 120 events.",
    )
    pooled, lab = blank(15, scale=2.0, n_blanks=3), blank(80, role="blanks", n_blanks=20)
    assert "in the FMO-CD271 controls:" in of(tube(pooled))[1]
    assert "80 events of msc in the laboratory's blanks:" in of(tube(pooled, lab))[1]


def test_the_kind_of_blanks_that_shows_most_is_judged() -> None:
    status, sentence = of(tube(blank(2), blank(70, role="blank")))
    assert status == "fail"
    assert "blank control" in sentence


def test_a_small_control_without_events_is_no_pass() -> None:
    status, sentence = of(tube(blank(0, scale=50.0)))
    assert status == "not_applicable"
    assert sentence == "Too small to show how much of msc is background: the FMO-CD271 control."
    status, sentence = of(tube(blank(0, scale=50.0), blank(0, role="blank")))
    assert status == "pass"
    assert sentence == "0 events of msc in the blank control: scaled to this tube, 0 % of its 120 events."


def test_a_small_control_with_many_events_is_told_by_the_least_they_can_mean() -> None:
    status, sentence = of(tube(blank(2, scale=50.0, low=30.0)))
    assert status == "warn"
    assert "at least 25.0 %" in sentence
    assert of(tube(blank(1, scale=50.0, low=1.3)))[0] == "not_applicable"


def test_without_controls_and_with_few_events_nothing_is_said() -> None:
    assert of(tube()) == ("not_applicable", "No control or blank shows how much of msc is background.")
    bare = tube(blank(500, role="unstained"))
    assert of(bare)[0] == "not_applicable"
    assert of(tube(blank(0)), "progenitors")[0] == "not_applicable"
    few = replace(tube(blank(9)), members={**tube().members, "msc": rare_rows()[:19]})
    status, sentence = of(replace(few, counts={**few.counts, "msc": 19}))
    assert (status, "too few" in sentence) == ("not_applicable", True)
    empty = {**few.counts, "msc": None}
    assert of(replace(few, counts=empty, members={"all": np.arange(5)}))[0] == "not_applicable"


@pytest.mark.parametrize(
    ("lob", "lloq", "status", "says", "limit"),
    [
        (0, 50.0, "pass", "enough for a quantity", 50),
        (30, 120.5, "warn", "under the 121 that make a quantity beside its background", 121),
        (120, 260.0, "warn", "under the 121 that stand out from background (limit of blank 120)", 121),
        (119, 119.2, "pass", "enough for a quantity", 120),
    ],
)
def test_how_many_events_are_a_quantity_depends_on_background(
    lob: int, lloq: float, status: str, says: str, limit: int
) -> None:
    limits = DetectionLimits(population="msc", lob_events=lob, lod_events=20, lloq_events=lloq)
    (found, _) = ask("rare_counts", replace(make_evidence(), detection=(limits,)))
    assert (found.status, says in found.sentence, found.limit) == (status, True, limit)
