"""A run beside a table exported from FlowJo: reading it, finding who is who, binning against real differences."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromagate.errors import InputError, SpecificationError, StromagateError, UsageError
from stromagate.model.result import SampleResult
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.compare.flowjo import BIN_DECADES, compare_with_flowjo, events_within_a_bin
from stromagate.pipeline.compare.flowjo_paths import map_paths
from stromagate.pipeline.compare.flowjo_table import FlowJoColumn, read_flowjo_table
from stromagate.pipeline.compare.table import comparison_csv
from stromagate.pipeline.tubes import collect_tubes
from stromagate.prepare.scales import forward, inverse
from tests.results import make_result
from tests.tubes import TEMPLATE, write_template, write_tube

THROUGH = TEMPLATE.replace("axis: CD271, low: 0.45", "axis: CD271, low: 0.7")
HEADER = ["Sample:", "Cells | Count", "Cells/CD4, low/MSC | Count", "Cells/CD4, low/MSC | Freq. of Total (%)"]
ROWS = [["a.fcs", "1234", "41", "2.73"], ["b.fcs", "987", "38", "2.5"], ["Mean", "1110", "39.5", "2.6"]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tubes whose MSC are cut right through the middle, so that events lie at the boundary."""
    folder = tmp_path_factory.mktemp("flowjo")
    (folder / "in").mkdir()
    for seed, name in enumerate("ab"):
        write_tube(folder / "in" / f"{name}.fcs", seed, 1500)
    run_batch(collect_tubes([folder / "in"]).tubes, write_template(folder / "small.yaml", THROUGH), folder / "out")
    return folder / "out"


def written(path: Path, rows: list[list[str]], sign: str = ",", encoding: str = "utf-8") -> Path:
    def quoted(cell: str) -> str:
        return f'"{cell}"' if sign in cell else cell

    path.write_bytes("\r\n".join(sign.join(map(quoted, row)) for row in rows).encode(encoding))
    return path


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_every_way_of_saving_it_reads_the_same(tmp_path: Path, sign: str, encoding: str, decimal: str) -> None:
    if sign == decimal:
        return
    rows = [
        [*HEADER, "é | Median : CD146"],
        *([row[0], *(c.replace(".", decimal) for c in row[1:]), "5"] for row in ROWS),
    ]
    table = read_flowjo_table(written(tmp_path / "t.csv", rows, sign, encoding))
    assert [(column.path, column.kind) for column in table.columns] == [
        ("Cells", "count"),
        ("Cells/CD4, low/MSC", "count"),
        ("Cells/CD4, low/MSC", "of total"),
    ]
    assert [row.sample for row in table.rows] == ["a.fcs", "b.fcs"]
    assert [[value.value for value in row.values.values()] for row in table.rows] == [[1234, 41, 2.73], [987, 38, 2.5]]
    assert table.rows[0].values[table.columns[2]].half_digit == pytest.approx(0.005)
    assert (table.skipped, table.n_summaries) == (("é | Median : CD146",), 1)


def test_a_workbook_reads_as_text_does(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in [HEADER, ["a.fcs", 1234, 41, 2.73], ["SD", 1.5, None, None]]:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    table = read_flowjo_table(tmp_path / "t.xlsx")
    assert [value.value for value in table.rows[0].values.values()] == [1234, 41, 2.73]
    assert (len(table.rows), table.n_summaries) == (1, 1)


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1,234", "12.5"], [1234, 12.5]),
        (["1.234", "12,5"], [1234, 12.5]),
        (["1 234", "12,5 %"], [1234, 12.5]),
        (["1.234.567", "0,001"], [1234567, 0.001]),
        (["12345", "1e-05"], [12345, 1e-05]),
        (["0", "0"], [0, 0]),
        (["n/a", "0.5"], [0.5]),
        (["0", "0e999"], [0, 0]),
    ],
)
def test_signs_for_thousands_and_decimals_are_told_apart(tmp_path: Path, cells: list[str], read: list[float]) -> None:
    rows = [["Sample", "MSC | Count", "MSC | Freq. of Parent"], ["a", *cells]]
    (row,) = read_flowjo_table(written(tmp_path / "t.txt", rows, "\t")).rows
    assert [value.value for value in row.values.values()] == read


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "flowjo.empty"),
        ([HEADER], "flowjo.empty"),
        ([HEADER, ROWS[2]], "flowjo.empty"),
        ([["Sample", "MSC | Median : CD146"], ["a", "5"]], "flowjo.columns"),
        ([["Sample", "MSC | Count", "MSC | Count"], ["a", "5", "6"]], "flowjo.twice"),
        ([HEADER, ROWS[0], ROWS[0]], "flowjo.twice"),
        ([["Sample", "MSC | Count"], ["a", "many"]], "flowjo.number"),
        ([["Sample", "MSC | Count"], ["a", "5.5"]], "flowjo.number"),
        ([["Sample", "MSC | Count"], ["a", "-5"]], "flowjo.number"),
        ([["Sample", "MSC | Freq. of Parent"], ["a", "101"]], "flowjo.number"),
        ([["Sample", "MSC | Freq. of Parent"], ["a", "1e" + 5000 * "9"]], "flowjo.number"),
        ([["Sample", "MSC | Freq. of Parent"], ["a", 140000 * "9"]], "flowjo.csv"),
        ([["<?xml version='1.0'?>", "Workspace"]], "flowjo.format"),
    ],
)
def test_what_is_no_such_table_says_why(tmp_path: Path, rows: list[list[str]], code: str) -> None:
    with pytest.raises(StromagateError) as caught:
        read_flowjo_table(written(tmp_path / "t.csv", rows))
    assert caught.value.code == code
    assert caught.value.hint
    assert str(tmp_path / "t.csv") in caught.value.where


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xd0\xcf\x11\xe0old", "flowjo.format"),
        (b"PK\x03\x04broken", "flowjo.format"),
        (b"a,b\x00\x00\x00\x00c", "flowjo.encoding"),
        (b'Sample,MSC | Count\na,"5\n', "flowjo.csv"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_flowjo_table(tmp_path / "t.csv")
    assert caught.value.code == code


def test_lines_may_end_as_on_old_macs(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"Sample\tMSC | Count\ra\t5\rb\t6\r")
    assert [row.sample for row in read_flowjo_table(tmp_path / "t.txt").rows] == ["a", "b"]


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_flowjo_table(tmp_path / "none.csv")


@given(st.binary(max_size=200))
def test_no_bytes_end_in_another_error_than_ours(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(data)
    with suppress(StromagateError):
        read_flowjo_table(path)


def columns(*paths: str) -> list[FlowJoColumn]:
    return [FlowJoColumn(path, "count") for path in paths]


def test_paths_are_populations_by_their_last_part_by_name_or_label() -> None:
    found = map_paths(
        columns("", "X/Viable", "X/msc (cd271+)", "X/CD146+ progenitors", "X/B cells"), [make_result()], []
    )
    assert found == {"": "all", "X/Viable": "viable", "X/msc (cd271+)": "msc", "X/CD146+ progenitors": "progenitors"}


def test_a_map_decides_and_of_two_alike_neither_is_taken() -> None:
    results, two = [make_result()], columns("P1/MSC", "P2/MSC", "P2/rest")
    assert map_paths(two, results, []) == {}
    assert map_paths(two, results, ["P2/MSC=msc"]) == {"P2/MSC": "msc"}
    assert map_paths(two, results, ["rest = msc_cd146neg"]) == {"P2/rest": "msc_cd146neg"}
    for text, words in (
        ("rest", "is no map"),
        ("=msc", "is no map"),
        ("rest=mcs", "no population 'mcs'"),
        ("MSC=msc", "several populations of the table end in 'MSC'"),
        ("none=msc", "the table has no population 'none'"),
    ):
        with pytest.raises(UsageError, match=words):
            map_paths(two, results, [text])


def test_events_within_a_bin_are_those_of_all_edges_in_proportion() -> None:
    result = make_result()
    steps = [s for s in result.sensitivities if s.population == "msc"]
    worst = [max(abs(math.expm1(s.lower)), abs(math.expm1(s.higher))) for s in steps]
    expected = 62 * sum(worst) * BIN_DECADES / 0.1
    assert 1 < expected < 62
    assert events_within_a_bin(result, "msc") == math.ceil(expected)
    assert events_within_a_bin(result, "stroma") is None  # no index population
    # An edge beyond which nothing is left takes all of it on 0.1 decade: 21 events, 0.176 of them at one bin.
    steps = [s for s in result.sensitivities if s.population == "progenitors"]
    assert any(s.higher is None for s in steps)
    assert events_within_a_bin(result, "progenitors") >= 21 * BIN_DECADES / 0.1


def table_of(path: Path, counts: dict[str, list[float]], names: list[str]) -> Path:
    return written(path, [["Sample:", *names], *([f"{name}.fcs", *map(str, row)] for name, row in counts.items())])


def test_differences_within_a_bin_are_told_from_real_ones(run: Path, tmp_path: Path) -> None:
    results = {name: bundle.read_result(run, name) for name in "ab"}
    msc = {name: result.count("msc") for name, result in results.items()}
    allowed = {name: int(events_within_a_bin(result, "msc")) for name, result in results.items()}
    assert min(allowed.values()) > 0
    cells = {name: result.count("cells") for name, result in results.items()}
    names = ["Cells | Count", "Cells/MSC | Count"]
    rows = {"a": [cells["a"], msc["a"] + allowed["a"]], "b": [cells["b"] + 3, msc["b"] - allowed["b"] - 1]}
    found = compare_with_flowjo(run, table_of(tmp_path / "t.csv", rows, names))
    verdicts = [[number.verdict for number in tube.numbers] for tube in found.tubes]
    assert verdicts == [["same", "within binning"], ["no estimate", "real"]]
    assert found.moved == ("b",)
    assert found.tubes[1].numbers[1].difference == -allowed["b"] - 1
    assert found.tubes[1].numbers[1].why == "bins at these gates are not in the estimate: cells"
    assert found.populations == {"Cells": "cells", "Cells/MSC": "msc"}
    lines = comparison_csv(found).decode().splitlines()
    assert len(lines) == 5
    assert lines[-1].startswith("b,b.fcs,msc,Cells/MSC,count,,,events,")


def test_a_boundary_moved_by_half_a_bin_is_binning_and_one_moved_by_a_decade_is_real(run: Path, tmp_path: Path) -> None:
    """The whole way: what another cut counts, read back as if FlowJo had."""
    scale = bundle.read_result(run, "a").tree.axes["CD271"].scale
    for decades, verdicts in ((BIN_DECADES / 2, {"same", "within binning"}), (1.0, {"real"})):
        at = float(forward(scale, inverse(scale, 0.7) * 10**decades)[0])
        text = TEMPLATE.replace("axis: CD271, low: 0.45", f"axis: CD271, low: {at}")
        out = tmp_path / f"out{decades}"
        run_batch(collect_tubes([run.parent / "in"]).tubes, write_template(tmp_path / "t.yaml", text), out)
        counts = {name: [bundle.read_result(out, name).count("msc")] for name in "ab"}
        found = compare_with_flowjo(run, table_of(tmp_path / "t.csv", counts, ["Live/MSC | Count"]))
        assert {number.verdict for tube in found.tubes for number in tube.numbers} <= verdicts


def test_percentages_are_compared_by_their_parent_and_to_their_last_digit(run: Path, tmp_path: Path) -> None:
    result = bundle.read_result(run, "a")
    parent, msc = result.count("cd45neg"), result.count("msc")
    share, total = f"{100 * msc / parent:.2f}", f"{100 * msc / result.n_events:.3f}"
    names = ["x/cd45neg/MSC | Freq. of Parent", "x/other/MSC2 | Freq. of Parent", "x/cd45neg/MSC | Freq. of Total"]
    path = table_of(tmp_path / "t.csv", {"a": [share, share, total]}, names)
    found = compare_with_flowjo(run, path, ["MSC2=progenitors"])
    parent_number, other, total_number = found.tubes[0].numbers
    assert (parent_number.verdict, total_number.verdict) == ("same", "same")
    assert parent_number.ours == pytest.approx(100 * msc / parent)
    assert other.verdict == "not comparable"
    assert other.why == "FlowJo's parent is 'x/other', ours is msc"
    off = table_of(tmp_path / "t.csv", {"a": ["90.00", share, total]}, names)
    assert compare_with_flowjo(run, off).tubes[0].numbers[0].verdict == "real"


def test_who_is_missing_on_either_side_is_named(run: Path, tmp_path: Path) -> None:
    rows = {"C:\\data\\A": [5, 1, 2], "z": [1, 2, 3]}
    found = compare_with_flowjo(run, table_of(tmp_path / "t.csv", rows, ["MSC | Count", "B | Count", "Q | Mean"]))
    assert (found.only_table, found.only_run) == (("z.fcs",), ("b",))
    assert (found.paths_without_population, found.skipped) == (("B",), ("Q | Mean",))
    assert [tube.sample_id for tube in found.tubes] == ["a"]


def test_nothing_in_common_is_refused_with_what_there_is(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match=r"no sample of the table .*\n.*: a, b"):
        compare_with_flowjo(run, table_of(tmp_path / "t.csv", {"z": [1]}, ["MSC | Count"]))
    with pytest.raises(SpecificationError, match="no population of the table") as caught:
        compare_with_flowjo(run, table_of(tmp_path / "t.csv", {"a": [1]}, ["x/B | Count"]))
    assert caught.value.hint == "say which is which: --map 'x/B=progenitors'"


def test_two_rows_of_one_tube_are_refused(run: Path, tmp_path: Path) -> None:
    table = written(tmp_path / "t.csv", [["Sample:", "MSC | Count"], ["a.fcs", "1"], ["A", "2"]])
    with pytest.raises(SpecificationError, match=r"'a\.fcs' and 'A' of the table are one tube"):
        compare_with_flowjo(run, table)


def test_a_tube_without_events_has_no_estimate(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def emptied(folder: Path, name: str) -> SampleResult:
        made = read(folder, name)
        rows = tuple(r.model_copy(update={"value": 0}) if r.population == "msc" else r for r in made.statistics)
        return made.model_copy(update={"statistics": rows})

    read = bundle.read_result
    monkeypatch.setattr(bundle, "read_result", emptied)
    number = compare_with_flowjo(run, table_of(tmp_path / "t.csv", {"a": [4]}, ["MSC | Count"])).tubes[0].numbers[0]
    assert (number.verdict, number.why) == ("no estimate", "it holds no event to estimate from")
