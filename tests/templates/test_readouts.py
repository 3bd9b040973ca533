"""Read-outs of the niche in a template: every mistake in them is named, and they are explained with their warnings."""

from __future__ import annotations

from pathlib import Path

import pytest

from stromagate.pipeline.template import load_template, reference, sentences
from stromagate.templates import library
from tests.templates.documents import RIGHT, load_text, problems_of

# A log ratio needs two gates of one population: what carries CD105 and what does not, of MSC.
MORE = RIGHT.replace(
    "denominators: [",
    "  - name: msc_cd105neg\n    parent: msc\n    requires: [CD105]\n"
    "    gate: {method: boolean, operation: none, of: [msc_cd105]}\n"
    "ratios: [[rest, msc]]\ndenominators: [",
)


def with_row(row: str, *, warnings: str = "") -> str:
    return f"{MORE}readouts:\n  - {{name: topic, title: A topic, rows: [{row}]{warnings}}}\n"


GOOD = {
    "mfi": "{kind: mfi_ratio, population: msc, marker: CD105}",
    "mfi beside": "{kind: mfi_ratio, population: msc, marker: CD105, carried_by: rest}",
    "share of the parent": "{kind: share, population: msc, denominator: cd45_low}",
    "share of a denominator": "{kind: share, population: msc, denominator: viable}",
    "ratio": "{kind: ratio, population: rest, denominator: msc}",
    "log ratio": "{kind: log_ratio, population: msc_cd105, denominator: msc_cd105neg, within: msc, lost_without: CD45}",
}


@pytest.mark.parametrize("row", GOOD.values(), ids=GOOD)
def test_each_kind_loads(row: str, tmp_path: Path) -> None:
    (readout,) = load_text(tmp_path, with_row(row)).template.readouts
    assert len(readout.rows) == 1


BAD = {
    "unknown kind": ("{kind: mfi, population: msc, marker: CD105}", ".kind", "must be 'mfi_ratio'"),
    "unknown population": ("{kind: mfi_ratio, population: mcs, marker: CD105}", ".population", "named 'mcs'"),
    "unknown marker": ("{kind: mfi_ratio, population: msc, marker: CD106}", ".marker", "'CD106' is not in the panel"),
    "no marker": ("{kind: mfi_ratio, population: msc}", "", "an mfi_ratio needs `marker`"),
    "marker of a share": (
        "{kind: share, population: msc, denominator: viable, marker: CD105}",
        "",
        "a share has no `marker`",
    ),
    "no denominator": ("{kind: ratio, population: msc}", "", "a ratio needs `denominator`"),
    "cut on its marker": (
        "{kind: mfi_ratio, population: msc_cd105, marker: CD105}",
        "",
        "'msc_cd105' is cut on CD105: a tube without that antibody holds none of it",
    ),
    "cut on it further up": ("{kind: mfi_ratio, population: msc_cd105, marker: CD271}", "", "cut on CD271"),
    "cut on it by a combination": ("{kind: mfi_ratio, population: rest, marker: CD45}", "", "'rest' is cut on CD45"),
    "carried by one cut on it": (
        "{kind: mfi_ratio, population: msc, marker: CD105, carried_by: msc_cd105}",
        "",
        "'msc_cd105' is cut on CD105",
    ),
    "compared with itself": (
        "{kind: mfi_ratio, population: msc, marker: CD105, carried_by: msc}",
        ".carried_by",
        "'msc' is compared with itself",
    ),
    "share of no denominator": (
        "{kind: share, population: msc_cd105, denominator: singlets}",
        "",
        "no share of 'singlets' is given",
    ),
    "ratio not declared": ("{kind: ratio, population: msc, denominator: rest}", "", "not among `ratios`"),
    "log ratio of two stems": (
        "{kind: log_ratio, population: msc_cd105, denominator: rest, within: cd45_low}",
        "",
        "'rest' does not stand below 'cd45_low'",
    ),
    "log ratio without a stem": ("{kind: log_ratio, population: msc, denominator: rest}", "", "needs `within`"),
    "strata that fall": (
        "{kind: mfi_ratio, population: msc, marker: CD105, strata: {limits: [10, 5], source: x}}",
        ".strata",
        "limits of strata ascend",
    ),
    "twice": (f"{GOOD['mfi']}, {GOOD['mfi']}", "", "this row is there already"),
}


@pytest.mark.parametrize(("row", "place", "message"), BAD.values(), ids=BAD)
def test_each_mistake_is_named_at_its_place(row: str, place: str, message: str, tmp_path: Path) -> None:
    found = problems_of(tmp_path, with_row(row))
    number = 1 if "already" in message else 0
    assert [problem.path for problem in found] == [f"readouts[0].rows[{number}]{place}"], found
    assert message in found[0].message
    assert found[0].line == len(with_row(row).splitlines())


@pytest.mark.parametrize(
    ("warning", "message"),
    [
        ("{text: ''}", "must be filled in"),
        ("{text: x, flag: late}", "`flag` and `hard` need `when`"),
        ("{text: x, hard: true}", "`flag` and `hard` need `when`"),
        ("{text: x, when: full_moon}", "must be 'aml_at_diagnosis', 'blood_in_marrow'"),
    ],
)
def test_each_mistake_of_a_warning_is_named(warning: str, message: str, tmp_path: Path) -> None:
    (found,) = problems_of(tmp_path, with_row(GOOD["mfi"], warnings=f", warnings: [{warning}]"))
    assert found.path.startswith("readouts[0].warnings[0]")
    assert message in found.message


def test_a_name_twice_is_named(tmp_path: Path) -> None:
    text = with_row(GOOD["mfi"]) + f"  - {{name: topic, title: Again, rows: [{GOOD['ratio']}]}}\n"
    (found,) = problems_of(tmp_path, text)
    assert (found.path, found.message) == ("readouts[1].name", "the read-out 'topic' is there already")


def test_read_outs_are_explained_and_travel_with_the_result(tmp_path: Path) -> None:
    warnings = ", warnings: [{text: Dim., doi: 10.1000/x}, {text: Decays., when: not_fixed_at_bedside, flag: late}]"
    loaded = load_text(tmp_path, with_row(", ".join(GOOD.values()), warnings=warnings))
    said = sentences(loaded)
    rows = (
        "median of CD105 on msc over that of its FMO tube; "
        "median of CD105 on msc over that of its FMO tube, beside rest, which carries it; msc as a share of cd45_low; "
        "msc as a share of viable; rest to msc; "
        "logarithm of msc_cd105 over msc_cd105neg, both of msc, not for leukaemia without CD45."
    )
    assert said[-3:] == [
        f"Read-out A topic: {rows}",
        "Warning of A topic: Dim. (doi:10.1000/x)",
        "Warning of A topic, unless the sheet says that it was fixed at the bedside, marked “late”: Decays.",
    ]
    assert reference(loaded).readouts == loaded.template.readouts
    assert loaded.sha256 != load_text(tmp_path, MORE).sha256


@pytest.mark.parametrize("name", library.names())
def test_every_shipped_read_out_has_warnings_and_says_where_strata_are_from(name: str) -> None:
    for readout in load_template(name).template.readouts:
        assert readout.warnings, readout.name
        for row in readout.rows:
            assert row.strata is None or row.strata.doi, row
