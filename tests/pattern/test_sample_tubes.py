"""The three leukaemic marrows of ``sample_fcs`` called by the simulated controls beside them, and without any."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from stromagate.model.calibration import ControlCalibration
from stromagate.model.pattern import METHOD_DEPENDENT, NOT_ASSESSABLE, NOT_ASSIGNED, PatternCall
from stromagate.model.result import SampleResult
from stromagate.pattern import call_pattern
from stromagate.pipeline.calibrate import read_calibration
from stromagate.pipeline.template import load_template
from tests.reference_data import ROOT
from tests.sample_run import SampleRun

TUBES = ROOT / "sample_fcs"
TRUE = {
    "aml_mesenchymal_low_01": "mesenchymal-low",
    "aml_progenitor_high_01": "progenitor-high",
    "aml_msc_high_01": "MSC-high",
}


@cache
def _calibration() -> ControlCalibration:
    found = read_calibration(TUBES / "controls_calibration.json")
    assert isinstance(found, ControlCalibration)
    return found


@pytest.fixture(scope="module")
def result(sample_run: SampleRun) -> Callable[[str], SampleResult]:
    """Return what was found in a donor's stained tube."""
    return lambda donor: sample_run.by_name[f"{donor}_stained"]


def test_the_calibration_is_of_the_template_as_it_is() -> None:
    """Where this fails, make it again: python -m benchmarks.patterns --write sample_fcs/controls_calibration.json."""
    assert _calibration().template_sha256 == load_template("bm_stroma_core").sha256
    assert _calibration().n >= 40


@pytest.mark.parametrize("donor", TRUE)
def test_each_lands_in_its_true_pattern(donor: str, result: Callable[[str], SampleResult]) -> None:
    call = call_pattern(result(donor), _calibration())
    assert call.pattern == TRUE[donor], call.sentence
    assert call.probability is not None
    assert call.probability >= 0.8


@pytest.mark.parametrize("donor", TRUE)
def test_without_a_calibration_none_gets_one(donor: str, result: Callable[[str], SampleResult]) -> None:
    call = call_pattern(result(donor), None)
    assert (call.level, call.pattern) == ("L0", NOT_ASSIGNED)
    assert call.indices


def test_the_healthy_marrow_gets_no_pattern(result: Callable[[str], SampleResult]) -> None:
    assert call_pattern(result("healthy_01"), _calibration()).pattern not in TRUE.values()


def test_where_non_blast_cells_decide_too_the_call_depends_on_the_method(result: Callable[[str], SampleResult]) -> None:
    """After depletion the cells that are no blasts are few: per million of them both indices are high."""
    every = _calibration().model_copy(update={"denominators": (*_calibration().denominators, "non_blast")}).sealed()
    for donor in ("aml_progenitor_high_01", "aml_msc_high_01"):
        call = call_pattern(result(donor), every)
        assert call.pattern == METHOD_DEPENDENT
        assert "non-blast cells" in call.reason
        told = next(cell for cell in call.robustness if cell.denominator == "non_blast")
        assert (told.pattern, told.decides) == ("both-high", True)


def test_too_few_events_are_not_assessable_and_say_what_to_acquire(result: Callable[[str], SampleResult]) -> None:
    """The same marrow, a fiftieth of it: even a high index would be fewer events than are told from none."""
    call = _few(result("aml_mesenchymal_low_01"), 50)
    assert call.pattern == NOT_ASSESSABLE
    assert call.acquire is not None
    assert call.acquire.n_events > call.acquire.n_now
    assert f"acquire at least {call.acquire.n_events:,} events" in " ".join(call.reasons)


def _few(result: SampleResult, part: int) -> PatternCall:
    rows = tuple(
        row.model_copy(update={"value": row.value // part, "n": (row.n or 0) // part})
        if row.statistic == "count" and row.value is not None
        else row
        for row in result.statistics
    )
    redrawn = {name: tuple(n // part for n in counts) for name, counts in result.redrawn.items()}
    return call_pattern(result.model_copy(update={"statistics": rows, "redrawn": redrawn}), _calibration())
