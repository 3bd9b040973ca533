"""Background as numbers: net by the oracle, controls too small to subtract, what they are scaled by, and states."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stromagate.model.blanks import Blanks, BlankTube
from stromagate.model.detection import AT_MOST, LAB_BLANKS, TOO_SMALL
from stromagate.model.gates import MEASURED, Axis, Boolean, GateNode, GateTree, Interval
from stromagate.model.result import ControlUse, Statistic
from stromagate.model.scales import Scale
from stromagate.quantify.background import (
    Background,
    background_counts,
    backgrounds,
    detection,
    judged,
    limits_of_mean,
    scaled_by,
    tells,
    wanted_counts,
)
from stromagate.quantify.background_rows import background_rows
from stromagate.quantify.combine import difference
from stromagate.quantify.detection import Blank, expect
from stromagate.quantify.intervals import poisson

MILLION = 1_000_000
_AXES = {name: Axis(name, Scale(), False) for name in ("FSC-A", "Time")} | {
    name: Axis(name, Scale(kind="asinh"), True) for name in ("Viability", "CD45", "CD271", "CD146")
}


def _gate(name: str, parent: str, geometry: Interval | Boolean) -> GateNode:
    return GateNode(name, parent, "fixed", geometry, "fixed", name)


TREE = GateTree(
    (
        _gate("cells", "all", Interval("FSC-A", 2e4, None)),
        _gate("viable", "cells", Interval("Viability", None, 0.5)),
        _gate("cd45pos", "viable", Interval("CD45", 0.5, None)),
        _gate("cd45neg", "viable", Boolean("none", ("cd45pos",))),
        _gate("msc", "cd45neg", Interval("CD271", 0.5, None)),
        _gate("progenitors", "msc", Interval(f"CD146{MEASURED}", 0.5, None)),
    ),
    {**_AXES, f"CD146{MEASURED}": Axis("CD146", Scale(kind="asinh"), False)},
)
DENOMINATORS = ("viable", "cd45pos", "msc")


def raw(count: int, total: int) -> list[Statistic]:
    low, high = poisson(count)
    limits = {"ci_low": low, "ci_high": high, "counting_low": low, "counting_high": high}
    state = "detected, not quantifiable" if count < 50 else "quantifiable"
    shared = {"population": "msc", "parent": "cd45neg", "n": count, "state": state}
    rate = {"statistic": "per_million", "unit": "per million", "denominator": "viable"}
    return [
        Statistic(population="viable", parent="cells", statistic="count", value=total, unit="events", n=total),
        Statistic(statistic="count", value=count, unit="events", **limits, **shared),
        Statistic(value=MILLION * count / total, **rate, **shared),
    ]


def known(total: int, *blanks: Blank, role: str = "fmo:CD271") -> Background:
    expected = expect(blanks, total)
    assert expected is not None
    return Background("msc", role, "viable", total, blanks, expected)


def rows(count: int, each: Background) -> dict[str, Statistic]:
    found = detection([each], ["msc"])
    made = background_rows([each], found, raw(count, each.total), DENOMINATORS, 0.95)
    return {row.statistic: row for row in made}


@pytest.mark.parametrize(
    ("count", "total", "blank", "net", "low", "high", "state"),
    [
        (30, MILLION, Blank(2, 200_000), 20.0, -7.9, 35.6, TOO_SMALL),
        (30, MILLION, Blank(10, MILLION), 20.0, 7.1, 33.8, ""),
        (100, 2 * MILLION, Blank(5, MILLION), 45.0, 33.5, 56.3, ""),
    ],
)
def test_net_per_million_by_the_oracle_and_a_fifth_of_a_million_cannot_be_subtracted(
    count: int, total: int, blank: Blank, net: float, low: float, high: float, state: str
) -> None:
    found = rows(count, known(total, blank))["net_per_million"]
    assert (found.value, found.state, found.denominator) == (pytest.approx(net), state, "viable")
    assert (found.ci_low, found.ci_high) == pytest.approx((low, high), abs=0.06)
    assert (found.counting_low, found.counting_high) == (found.ci_low, found.ci_high)


def test_blanks_that_differ_leave_more_open_of_their_mean() -> None:
    alike, unlike = (
        background_counts([known(MILLION, *(Blank(n, MILLION) for n in counts))], 0.95)[0]
        for counts in ((10, 9, 11, 10), (0, 30, 2, 8))
    )
    assert alike.expected == unlike.expected == 10
    assert (alike.low, alike.high) == pytest.approx(tuple(limit / 4 for limit in poisson(40)))
    assert unlike.low < alike.low
    assert unlike.high > alike.high
    assert unlike.low >= 0


def test_net_holds_the_truth_where_tubes_differ_in_their_background() -> None:
    """Twenty blanks know their mean well; the tube that is judged differs from it as each of them does."""
    rng = np.random.default_rng(4)
    n, held = 800, 0
    for _ in range(n):
        *blanks, own_mean = rng.gamma(1 / 0.3, 20 * 0.3, 21)
        expected = expect([Blank(int(count), MILLION) for count in rng.poisson(blanks)], MILLION)
        assert expected is not None
        count, own = int(rng.poisson(100 + own_mean)), limits_of_mean(expected, 0.95)
        low, high = difference(count, poisson(count), expected.mean, own)
        held += high is not None and low <= 100 <= high
        assert own[0] <= expected.mean <= own[1]
    assert held / n == pytest.approx(0.945, abs=0.02)


def test_limits_of_alike_blanks_are_those_of_counting() -> None:
    expected = expect([Blank(count, MILLION) for count in (10, 9, 11, 10)], 2 * MILLION)
    assert expected is not None
    assert limits_of_mean(expected, 0.9) == pytest.approx(tuple(limit / 2 for limit in poisson(40, 0.9)))


@pytest.mark.parametrize(
    ("count", "blank", "small"),
    [
        (39, Blank(1, 1), True),  # an FMO of one event set a limit of 34,808
        (39, Blank(0, 99), True),
        (39, Blank(0, 100_000), False),  # none seen: at most 36.9 for 39
        (36, Blank(0, 100_000), True),
        (39, Blank(1, 5_000), True),  # 200, and 5 to 1,114
        (39, Blank(3, 5_000), False),  # 124 at least: far from what is left open, and above the count for certain
        (30, Blank(5, 200_000), False),  # 25 expected, and 8.1 at least: more than a fifth of the 30 for certain
        (30, Blank(3, 120_000), True),  # the same rate, and 5.2 at least
        (2, Blank(2, MILLION), False),  # as large as the tube
        (39, Blank(0, 100), True),
        (10**6, Blank(0, 100), False),
    ],
)
def test_a_control_too_small_to_tell_sets_no_limits(count: int, blank: Blank, small: bool) -> None:
    each = replace(known(MILLION, blank), count=count)
    assert each.too_small is small
    (limits,) = detection([each], ["msc"])
    assert (limits.method == "floors") is small
    assert background_counts([each], 0.95)[0].too_small is small
    if small:
        assert (limits.lob_events, limits.lod_events, limits.lloq_events, limits.source) == (0, 20, 50, "")


def test_a_larger_control_that_tells_sets_limits_beside_a_small_one() -> None:
    small, large = (
        replace(known(MILLION, blank, role=role), count=39)
        for blank, role in ((Blank(1, 1), "fmo:CD271"), (Blank(30, MILLION), "blank"))
    )
    (limits,) = detection([small, large], ["msc"])
    assert limits.source == "blank"
    assert limits.lob_events >= 39


def test_an_unstained_tube_is_a_bound_without_net_and_without_limits() -> None:
    found = rows(100, known(MILLION, Blank(70, MILLION), role="unstained"))
    assert found["background"].state == AT_MOST
    assert "net" not in found
    assert (found["lob"].value, found["lod"].value, found["lloq"].value, found["lob"].marker) == (0, 20, 50, "")


def test_an_fmo_tells_of_populations_that_carry_its_marker() -> None:
    assert [tells(TREE, name, "fmo:CD271") for name in ("msc", "progenitors", "cd45neg")] == [True, True, False]
    assert [tells(TREE, name, "fmo:CD146") for name in ("msc", "progenitors")] == [False, True]
    assert not tells(TREE, "msc", "fmo:CD45")
    assert tells(TREE, "cd45pos", "fmo:CD45")
    assert tells(TREE, "msc", "blank")
    assert tells(TREE, "msc", "unstained")
    assert not tells(TREE, "msc", "isotype:CD271")


def test_a_control_is_scaled_by_what_its_missing_antibodies_do_not_decide_about() -> None:
    assert scaled_by(TREE, "msc", "fmo:CD271", DENOMINATORS) == "viable"
    assert scaled_by(TREE, "progenitors", "fmo:CD271", ("msc", "viable")) == "viable"
    assert scaled_by(TREE, "progenitors", "fmo:CD146", ("msc", "viable")) == "msc"
    assert scaled_by(TREE, "msc", "unstained", DENOMINATORS) == "cells"
    assert scaled_by(TREE, "msc", "fmo:Viability", ("viable",)) == "cells"
    assert scaled_by(TREE, "cells", "unstained", ()) == "all"
    assert wanted_counts(TREE, ["msc", "progenitors"], "fmo:CD146", DENOMINATORS) == ["progenitors", "viable"]
    assert wanted_counts(TREE, ["msc"], "fmo:CD45", DENOMINATORS) == []


def use(name: str, role: str, **counts: int) -> ControlUse:
    return ControlUse(sample_id=name, role=role, sha256="0" * 64, n_events=1, counts=counts)


def test_controls_of_a_role_are_pooled_and_those_without_events_tell_nothing() -> None:
    counts = {"viable": MILLION, "msc": 40, "progenitors": None}
    controls = (
        use("a", "fmo:CD271", msc=2, viable=200_000),
        use("b", "fmo:CD271", msc=4, viable=400_000),
        use("c", "fmo:CD271"),
        use("d", "blank", msc=0, viable=0),
    )
    lab = Blanks(
        template="t",
        template_sha256="0",
        tubes=(
            BlankTube(sample_id="x", day="d", counts={"msc": 3, "viable": MILLION}),
            BlankTube(sample_id="y", day="d", counts={"all": 5}),
        ),
    )
    found = backgrounds(TREE, counts, ["msc", "progenitors", "gone"], DENOMINATORS, controls, lab)
    assert [(each.population, each.role, each.expected.n, each.expected.mean) for each in found] == [
        ("msc", "fmo:CD271", 2, pytest.approx(10)),
        ("msc", LAB_BLANKS, 1, pytest.approx(3)),
    ]
    assert backgrounds(TREE, {**counts, "viable": 0}, ["msc"], DENOMINATORS, controls, lab) == ()


def test_background_takes_a_state_down_and_never_up() -> None:
    found = detection([known(MILLION, Blank(60, MILLION))], ["msc"])
    assert found[0].lob_events > 70
    assert [row.state for row in judged(raw(70, MILLION), found)] == ["", "not detected", "not detected"]
    floors = detection([], ["msc"])
    assert judged(raw(70, MILLION), floors) == tuple(raw(70, MILLION))
