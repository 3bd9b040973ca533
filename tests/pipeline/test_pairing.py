"""Which controls belong to a tube: by the sheet's word, else by several keys, and never by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.sample import Channel, SourceRef, Spillover
from stromagate.pipeline.controls.comparison import compare
from stromagate.pipeline.controls.header import Facts
from stromagate.pipeline.controls.pairing import ITSELF, LISTED, Member, Register, belongs, pair, seen

DETECTORS = {"CD45": "FITC-A", "CD271": "PE-A", "CD146": "APC-A"}
ROLE = "fmo:CD146"


def facts(**changes: Any) -> Facts:
    channels = tuple(Channel(i, pnn, axis, 32, 262144.0) for i, (axis, pnn) in enumerate(DETECTORS.items()))
    known = Facts(
        channels=channels,
        source=SourceRef("t.fcs", 1),
        detectors=DETECTORS,
        volts={"FITC-A": 500.0, "PE-A": 480.0, "APC-A": 600.0},
        cytometer="lsrfortessa",
        serial="",
        spillover=Spillover("ok", "$SPILLOVER", tuple(DETECTORS.values()), np.eye(3), "3,..."),
        day="01-mar-2026",
    )
    return replace(known, **changes)


def member(name: str, role: str = "stained", *, header: Facts | None = None, **labels: str) -> Member:
    return Member(name, role, labels, None, header or facts(), f"{name:0>64}")


def bare() -> Facts:
    """A header that states nothing that could be compared."""
    return facts(channels=(), detectors={}, volts={}, cytometer="", spillover=Spillover("absent"), day="")


def names(tube: Member, *controls: Member) -> list[str]:
    return [use.sample_id for use in pair(tube, [tube, *controls], [ROLE]) if use.unused != "apart"]


def test_all_of_the_batch_are_pooled_and_the_own_patients_comes_first() -> None:
    tube = member("p2_tube", batch="b1", patient_id="P2")
    controls = [member(f"p{n}_fmo", ROLE, batch="b1", patient_id=f"P{n}") for n in (1, 2, 3)]
    other = member("p2_old", ROLE, batch="b0", patient_id="P2")
    assert names(tube, *controls, other) == ["p2_fmo", "p1_fmo", "p3_fmo"]
    (first, *_) = pair(tube, [tube, *controls], [ROLE])
    assert {"batch", "patient_id", "day", "voltages", "matrix", "detectors", "name"} <= {*first.matched, "name"}
    assert first.mismatched == ()


def test_the_own_patients_control_of_another_batch_is_better_than_none_and_says_so() -> None:
    tube = member("x", batch="b1", patient_id="P2")
    own = member("y", ROLE, batch="b0", patient_id="P2", header=facts(day="02-mar-2026"))
    stranger = member("z", ROLE, batch="b0", patient_id="P3", header=facts(day="02-mar-2026"))
    (use,) = pair(tube, [tube, own, stranger], [ROLE])
    assert use.sample_id == "y"
    assert use.mismatched == ("another batch (b0, not b1)", "another day")


def test_one_day_and_cytometer_make_a_batch_where_the_sheet_names_none() -> None:
    tube, today = member("x"), [member(name, ROLE) for name in ("a", "b")]
    yesterday = member("c", ROLE, header=facts(day="28-feb-2026"))
    elsewhere = member("d", ROLE, header=facts(cytometer="canto"))
    assert names(tube, *today, yesterday, elsewhere) == ["a", "b"]


def test_a_stranger_of_another_batch_is_no_control_though_one_cytometer_measured_both() -> None:
    tube, stranger = member("x", batch="b1", patient_id="P1"), member("y", ROLE, batch="b0", patient_id="P9")
    assert names(tube, stranger) == []
    (use,) = pair(tube, [tube, stranger], [ROLE])
    assert use.unused == "apart"
    assert use.reason.startswith("it shares cytometer, day, voltages, matrix, detectors with this tube; two keys must")


def test_a_control_with_the_bytes_of_another_tube_is_not_counted_twice() -> None:
    tube = member("x", batch="b1")
    one, copy = member("a", ROLE, batch="b1"), replace(member("b", ROLE, batch="b1"), sha256=f"{'a':0>64}")
    stained = replace(member("c", ROLE, batch="b1"), sha256=tube.sha256)
    found = {use.sample_id: (use.unused, use.reason) for use in pair(tube, [tube, stained, copy, one], [ROLE])}
    assert found == {
        "a": ("", ""),
        "b": ("duplicate", "it holds the same bytes as a"),
        "c": ("duplicate", "it holds the same bytes as x"),
    }
    assert pair(one, [tube, one], [ROLE])[0].unused == ""


def test_the_name_alone_pairs_nothing_and_with_one_more_key_it_does() -> None:
    tube, control = member("d7_stained", header=bare()), member("d7_fmo_CD146", ROLE, header=bare())
    assert names(tube, control) == []
    one_more = [replace(item, facts=replace(bare(), cytometer="lsrfortessa")) for item in (tube, control)]
    assert names(*one_more) == ["d7_fmo_CD146"]


KEYS = {
    "batch": {"batch": "b1"},
    "patient_id": {"patient_id": "P1"},
    "panel": {"panel": "core"},
    "preparation": {"preparation": "lysed"},
    "cytometer": {"cytometer": "lsr"},
    "day": {"day": "01-mar-2026"},
    "serial": {"serial": "h1"},
    "name": {},
}


@pytest.mark.parametrize("key", KEYS)
def test_no_key_alone_is_enough(key: str) -> None:
    of_file = key in {"cytometer", "day", "serial"}
    header = replace(bare(), **KEYS[key]) if of_file else bare()
    labels = {} if of_file else KEYS[key]
    control_name = "d7_fmo_CD146" if key == "name" else "d8"
    tube = Member("d7_stained", "stained", labels, None, header)
    control = Member(control_name, ROLE, labels, None, header)
    assert compare(seen(tube), seen(control)).matched == (key,)
    assert names(tube, control) == []


def test_the_sheets_word_goes_over_every_key() -> None:
    tube = replace(member("x", batch="b1", patient_id="P1"), listed=("far",))
    near = member("near", ROLE, batch="b1", patient_id="P1")
    far = member("far", ROLE, batch="b7", patient_id="P8", header=facts(day="02-mar-2026"))
    (use,) = pair(tube, [tube, near, far], [ROLE])
    assert use.sample_id == "far"
    assert use.matched[0] == LISTED
    assert "another day" in use.mismatched
    assert pair(replace(tube, listed=()), [tube, near, far], [ROLE]) == ()


def test_a_control_is_its_own_first_control() -> None:
    own, other = member("b", ROLE, batch="b1"), member("a", ROLE, batch="b1")
    first, second = pair(own, [own, other], [ROLE])
    assert (first.sample_id, first.matched, second.sample_id) == ("b", (ITSELF,), "a")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"volts": {"FITC-A": 500.0, "PE-A": 480.0, "APC-A": 640.0}},
            "other detector voltages: CD146 640 V, not 600 V",
        ),
        ({"day": "02-mar-2026"}, "another day"),
        ({"cytometer": "canto"}, "another cytometer"),
        (
            {"spillover": Spillover("ok", "$SPILLOVER", ("FITC-A", "PE-A", "APC-A"), np.eye(3) + 0.1)},
            "another spillover",
        ),
    ],
)
def test_what_differs_is_said_in_lab_words_and_a_date_never_is(changes: dict[str, Any], words: str) -> None:
    tube = member("x", batch="b1")
    (use,) = pair(tube, [tube, member("y", ROLE, batch="b1", header=facts(**changes))], [ROLE])
    assert len(use.mismatched) == 1
    assert use.mismatched[0].startswith(words)
    assert not use.unused
    assert "mar-2026" not in use.model_dump_json()
    assert "mar-2026" not in repr(facts())


def test_the_order_of_a_matrix_and_its_last_digits_are_no_difference() -> None:
    matrix = np.array([[1, 0.1, 0], [0.02, 1, 0.03], [0, 0.2, 1]])
    swapped = matrix[np.ix_([2, 0, 1], [2, 0, 1])] + 4e-5
    one = facts(spillover=Spillover("ok", "$SPILLOVER", ("FITC-A", "PE-A", "APC-A"), matrix, "a"))
    other = facts(spillover=Spillover("ok", "$SPILLOVER", ("APC-A", "FITC-A", "PE-A"), swapped, "b"))
    tube = member("x", batch="b1", header=one)
    (use,) = pair(tube, [tube, member("y", ROLE, batch="b1", header=other)], [ROLE])
    assert "matrix" in use.matched


def test_a_control_on_other_detectors_is_named_and_not_used() -> None:
    tube = member("x", batch="b1")
    moved = member("y", ROLE, batch="b1", header=facts(detectors={**DETECTORS, "CD146": "PE-A", "CD271": "APC-A"}))
    gone = facts(channels=facts().channels[:2], detectors={"CD45": "FITC-A", "CD271": "PE-A"})
    fine = member("w", ROLE, batch="b1")
    found = {
        use.sample_id: use
        for use in pair(tube, [tube, moved, member("z", ROLE, batch="b1", header=gone), fine], [ROLE])
    }
    assert {name: use.unused for name, use in found.items()} == {"w": "", "y": "detectors", "z": "detectors"}
    assert found["y"].reason == "CD271 is on APC-A, not on PE-A; CD146 is on PE-A, not on APC-A"
    assert found["z"].reason == "the detector APC-A of CD146 is missing"


def test_a_control_that_cannot_be_used_does_not_keep_a_poorer_one_away() -> None:
    tube = member("x", batch="b1", patient_id="P1")
    broken = Member("y", ROLE, {"batch": "b1", "patient_id": "P1"}, None, None, "", "the file is cut off")
    older = member("z", ROLE, batch="b0", patient_id="P1")
    found = {use.sample_id: use.unused for use in pair(tube, [tube, broken, older], [ROLE])}
    assert found == {"z": "", "y": "failed"}


def test_isotypes_of_wanted_markers_are_shown_and_never_used() -> None:
    tube = member("x", batch="b1")
    iso, other = member("i", "isotype:CD146", batch="b1"), member("j", "isotype:CD45", batch="b1")
    (use,) = pair(tube, [tube, iso, other], [ROLE])
    assert (use.sample_id, use.unused) == ("i", "isotype")


_WORDS = st.sampled_from(["", "b1", "b2", "P1"])
_HEADERS = st.sampled_from(
    [
        None,
        bare(),
        facts(),
        facts(day="02-mar-2026"),
        facts(volts={"PE-A": 1.0}),
        facts(detectors={}),
        facts(serial="7"),
    ]
)
_MEMBERS = st.lists(
    st.builds(
        lambda role, header, batch, patient, panel: (
            role,
            header,
            {"batch": batch, "patient_id": patient, "panel": panel},
        ),
        st.sampled_from(["stained", ROLE, "fmo:CD271", "unstained"]),
        _HEADERS,
        _WORDS,
        _WORDS,
        _WORDS,
    ),
    min_size=1,
    max_size=7,
)


@given(_MEMBERS, st.randoms(use_true_random=False))
@settings(deadline=None, derandomize=True, max_examples=150)
def test_pairing_is_the_same_whatever_the_order_and_holds_its_promises(made: list[Any], shuffled: Any) -> None:
    members = [Member(f"m{i}", role, labels, None, header, str(i)) for i, (role, header, labels) in enumerate(made)]
    again = list(members)
    shuffled.shuffle(again)
    by_name = {item.sample_id: item for item in members}
    for tube in members:
        found = pair(tube, members, [ROLE, "unstained"])
        assert found == pair(tube, again, [ROLE, "unstained"])
        assert len({use.sample_id for use in found}) == len(found)
        for use in found:
            control = by_name[use.sample_id]
            assert control.role == use.role
            assert bool(use.unused) == bool(use.reason)
            if use.unused == "apart":
                assert not [other for other in found if other is not use and other.role == use.role]
                assert not compare(seen(tube), seen(control)).belong
            elif control is not tube:
                compared = compare(seen(tube), seen(control))
                assert compared.belong
                assert len(use.matched) >= 2
                assert set(use.matched) & {"batch", "patient_id", "day", "name"}
                assert set(use.matched) == set(compare(seen(control), seen(tube)).matched)


LABELS = st.fixed_dictionaries(
    {}, optional={"batch": st.sampled_from(["b1", "B1 ", "b2"]), "patient_id": st.sampled_from(["P1", "P2"])}
)
HEADERS = st.builds(facts, day=st.sampled_from(["", "d1", "d2"]), cytometer=st.sampled_from(["", "lsr"]))


@st.composite
def runs(draw: st.DrawFn) -> list[Member]:
    """Return the tubes of a run, stained ones and controls of one role, named after a few donors."""
    return [
        Member(
            f"{draw(st.sampled_from(['d1', 'd2']))}_{'fmo' if is_control else 'x'}_{'abcdefgh'[i]}",
            ROLE if is_control else "stained",
            draw(LABELS),
            draw(st.sampled_from([None, None, (), ("d1_fmo_a", "d2_fmo_b")])),
            draw(st.none() | HEADERS),
            f"{i:064}",
        )
        for i, is_control in enumerate(draw(st.lists(st.booleans(), min_size=1, max_size=8)))
    ]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(run=runs())
def test_no_tube_that_belongs_is_passed_over_unseen(run: list[Member]) -> None:
    register = Register(run)
    controls = [each for each in run if each.role == ROLE]
    for one in run:
        near = register.near(one, ROLE)
        assert [each for each in controls if each not in near and (belongs(one, each) or each == one)] == []
        assert pair(one, register, [ROLE]) == pair(one, run, [ROLE])
    for control in controls:
        near = register.stained_near(control)
        assert [each for each in run if each.role == "stained" and belongs(each, control) and each not in near] == []
