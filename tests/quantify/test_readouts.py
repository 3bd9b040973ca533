"""Ratios of medians over the FMO control: their limits hold the truth, and there are none where they mean nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.gates import Axis, GateTree, Interval
from stromagate.model.result import Statistic
from stromagate.model.sample import F32
from stromagate.model.scales import Scale
from stromagate.model.template import GatingTemplate
from stromagate.prepare.scales import forward
from stromagate.quantify.intensity import median
from stromagate.quantify.readouts import control_roles, ratio_limits, readout_rows, wanted_values
from tests.quantify.test_statistics import node, template_of, tree_of

LOGICLE = Scale(kind="logicle", top=262144.0, width_decades=0.5)
PLAIN = tree_of(node("viable", "all", Interval("CD45", None, 0.5)), node("msc", "viable", Interval("CD271", 0.5, None)))
TREE = replace(PLAIN, axes={**PLAIN.axes, "JAG1": Axis("BV650-A", LOGICLE, True)})
LATE = {"text": "It decays.", "when": "not_fixed_at_bedside", "flag": "late"}


def template(*warnings: dict[str, Any], **row: Any) -> GatingTemplate:
    made = {"kind": "mfi_ratio", "population": "msc", "marker": "JAG1", **row}
    topic = {"name": "topic", "title": "A topic", "rows": [made], "warnings": list(warnings)}
    return template_of(TREE, readouts=[topic])


def count(state: str = "quantifiable", n: int | None = 200) -> Statistic:
    return Statistic(population="msc", parent="viable", statistic="count", value=n, unit="events", state=state, n=n)


def found(
    own: F32 | None,
    control: F32 | None,
    *,
    state: str = "quantifiable",
    made: GatingTemplate | None = None,
    labels: dict[str, str] | None = None,
    tree: GateTree = TREE,
) -> dict[str, Statistic]:
    read = {} if control is None else {("fmo:JAG1", "msc", "JAG1"): control}
    rows = readout_rows(
        tree,
        made or template(),
        [count(state)],
        values=lambda _name, _axis: own,
        read=read,
        labels=labels or {},
        confidence=0.95,
    )
    return {row.statistic: row for row in rows}


def spread(n: int, middle: float, seed: int = 0) -> F32:
    return np.random.default_rng(seed).lognormal(math.log(middle), 0.8, n).astype(np.float32)


def test_a_known_shift_is_found_and_both_medians_are_told() -> None:
    control = spread(400, 120, 1)
    rows = found(4 * spread(900, 120, 2), control)
    assert list(rows) == ["control_median", "mfi_ratio", "median_difference"]
    ratio, below = rows["mfi_ratio"], rows["control_median"]
    assert ratio.ci_low is not None
    assert ratio.ci_high is not None
    assert ratio.ci_low < 4 < ratio.ci_high
    assert (ratio.unit, ratio.marker, ratio.denominator, ratio.n, ratio.parent) == (
        "ratio",
        "JAG1",
        "fmo:JAG1",
        900,
        "viable",
    )
    assert (below.value, below.ci_low, below.ci_high, below.n) == median(control)
    assert (ratio.counting_low, ratio.counting_high) == (ratio.ci_low, ratio.ci_high)


def test_the_limits_are_those_of_the_formula() -> None:
    """MOVER of logarithms, worked by hand: 400 (350 to 460) over 100 (80 to 130)."""
    low, high = ratio_limits((400, 350, 460), (100, 80, 130))
    assert low == pytest.approx(4 * math.exp(-math.hypot(math.log(400 / 350), math.log(130 / 100))))
    assert high == pytest.approx(4 * math.exp(math.hypot(math.log(460 / 400), math.log(100 / 80))))


@pytest.mark.parametrize(("n", "n_control"), [(50, 50), (60, 2000), (400, 90)])
def test_the_limits_hold_the_truth_as_often_as_they_say(n: int, n_control: int) -> None:
    rng, held, times = np.random.default_rng(n + n_control), 0, 1500
    for _ in range(times):
        one = median((3 * rng.lognormal(5, 0.9, n)).astype(np.float32))
        other = median(rng.lognormal(5, 0.6, n_control).astype(np.float32))
        low, high = ratio_limits(one[:3], other[:3])
        held += (low or 0) <= 3 <= (high or math.inf)
    assert 0.94 <= held / times <= 0.985


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    n=st.integers(50, 400),
    n_control=st.integers(50, 400),
    factor=st.floats(0.01, 100),
)
def test_the_gain_of_both_tubes_does_not_matter_and_that_of_one_does(
    seed: int, n: int, n_control: int, factor: float
) -> None:
    own, control = spread(n, 900, seed), spread(n_control, 200, seed + 1)
    plain = found(own, control)["mfi_ratio"]
    both = found((own * factor).astype(np.float32), (control * factor).astype(np.float32))["mfi_ratio"]
    one = found((own * factor).astype(np.float32), control)["mfi_ratio"]
    for name in ("value", "ci_low", "ci_high"):
        assert getattr(both, name) == pytest.approx(getattr(plain, name), rel=1e-4)
        assert getattr(one, name) == pytest.approx(factor * getattr(plain, name), rel=1e-4)
    assert plain.ci_low <= plain.value <= plain.ci_high  # type: ignore[operator]


REFUSED = {
    "no control": ((200, 900.0), None, "quantifiable", "no FMO control"),
    "few in the tube": ((49, 900.0), (200, 100.0), "quantifiable", "fewer than 50 events"),
    "few in the control": ((200, 900.0), (49, 100.0), "quantifiable", "fewer than 50 events"),
    "none in the control": ((200, 900.0), (0, 100.0), "quantifiable", "fewer than 50 events"),
    "few, and no control": ((3, 900.0), None, "not detected", "fewer than 50 events"),
    "background": ((60, 900.0), (200, 100.0), "not detected", "not detected"),
    "not evaluable": (None, (200, 100.0), "not evaluable", "not evaluable"),
}


@pytest.mark.parametrize(("own", "control", "state", "why"), REFUSED.values(), ids=REFUSED)
def test_there_is_no_number_and_the_state_says_why(
    own: tuple[int, float] | None, control: tuple[int, float] | None, state: str, why: str
) -> None:
    rows = found(spread(*own) if own else None, spread(*control) if control else None, state=state)
    for statistic in ("mfi_ratio", "median_difference"):
        row = rows[statistic]
        limits = (row.value, row.ci_low, row.ci_high, row.counting_low, row.counting_high)
        assert limits == (None,) * 5
        assert (row.state, row.interval) == (why, "")
        assert row.n == (own[0] if own else None)
    assert ("control_median" in rows) == bool(control and control[0])


@pytest.mark.parametrize("n", [50, 51])
def test_fifty_events_of_both_are_enough(n: int) -> None:
    assert found(spread(n, 900), spread(n, 100, 1))["mfi_ratio"].value is not None


@pytest.mark.parametrize(("own", "control"), [(900.0, -5.0), (-5.0, 100.0), (-3.0, -5.0), (900.0, 0.0)])
def test_a_median_that_is_not_above_zero_has_no_ratio_and_a_difference(own: float, control: float) -> None:
    rng = np.random.default_rng(3)
    one, other = ((rng.normal(0, 40, 300) + middle).astype(np.float32) for middle in (own, control))
    other = other - np.median(other) + np.float32(control)
    one = one - np.median(one) + np.float32(own)
    rows = found(one, other)
    assert (rows["mfi_ratio"].value, rows["mfi_ratio"].state) == (None, "median not above zero")
    shown = rows["median_difference"]
    expected = forward(LOGICLE, float(np.median(one)))[0] - forward(LOGICLE, float(np.median(other)))[0]
    assert shown.value == pytest.approx(expected, abs=1e-6)
    assert shown.ci_low is not None
    assert shown.ci_high is not None
    assert shown.ci_low < shown.value < shown.ci_high
    assert (shown.state, shown.unit) == ("quantifiable", "display units")


def test_a_control_around_zero_bounds_no_ratio_from_above() -> None:
    control = np.linspace(-30, 32, 101).astype(np.float32)
    row = found(spread(200, 900), control)["mfi_ratio"]
    assert row.value == pytest.approx(float(np.median(spread(200, 900))) / 1.0, rel=0.01)
    assert row.ci_high is None
    assert row.ci_low is not None
    assert 0 < row.ci_low < row.value


def test_values_that_are_no_numbers_do_not_count() -> None:
    own = spread(80, 900)
    own[:31] = np.nan
    assert found(own, spread(200, 100))["mfi_ratio"].state == "fewer than 50 events"
    own[:] = np.nan
    row = found(own, spread(200, 100))["mfi_ratio"]
    assert (row.state, row.n) == ("fewer than 50 events", 0)


def test_a_flag_is_the_state_of_the_numbers_until_the_sheet_lifts_it() -> None:
    pair = spread(200, 900), spread(200, 100, 1)
    assert found(*pair, made=template(LATE))["mfi_ratio"].state == "late"
    assert found(*pair, made=template(LATE))["median_difference"].state == "late"
    assert found(*pair, made=template(LATE))["control_median"].state == "quantifiable"
    assert found(*pair, made=template(LATE), labels={"fixation": "bedside"})["mfi_ratio"].state == "quantifiable"
    low = found(*pair, made=template(LATE), state="detected, not quantifiable")["mfi_ratio"]
    assert low.state == "detected, not quantifiable; late"
    assert found(pair[0], None, made=template(LATE))["mfi_ratio"].state == "no FMO control"


def test_only_what_the_tube_carries_has_rows() -> None:
    assert found(spread(200, 900), spread(200, 100), tree=PLAIN) == {}
    made = template(population="endothelium")
    assert found(spread(200, 900), spread(200, 100), made=made) == {}


def test_what_is_read_on_which_control() -> None:
    made = template(carried_by="viable")
    assert control_roles(made.readouts) == ("fmo:JAG1",)
    assert wanted_values(TREE, made.readouts, "fmo:JAG1") == {"msc": ("JAG1",), "viable": ("JAG1",)}
    assert wanted_values(TREE, made.readouts, "fmo:CD271") == {}
    assert wanted_values(PLAIN, made.readouts, "fmo:JAG1") == {}
