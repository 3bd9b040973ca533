"""The sample sheet: what is understood, and that every mistake is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from stromagate.errors import DocumentError, InputError, SpecificationError
from stromagate.pipeline.sheet import read_sheet

GOOD = "file,sample_id,patient_id,role,dose\na.fcs,A1,P1,stained,10\nsub/b.fcs,,P1,fmo:CD146,\n"


def write(folder: Path, text: str | bytes, name: str = "sheet.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_columns_and_paths(tmp_path: Path) -> None:
    first, second = read_sheet(write(tmp_path, GOOD))
    assert first.file == tmp_path / "a.fcs"
    assert (first.sample_id, first.role, first.line) == ("A1", "stained", 2)
    assert first.labels == {"patient_id": "P1", "role": "stained", "dose": "10"}
    assert second.sample_id is None
    assert second.labels == {"patient_id": "P1", "role": "fmo:CD146"}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_header_decides_the_delimiter(tmp_path: Path, delimiter: str) -> None:
    rows = read_sheet(write(tmp_path, GOOD.replace(",", delimiter)))
    assert [row.sample_id for row in rows] == ["A1", None]


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    rows = read_sheet(write(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()))
    assert [row.labels.get("dose") for row in rows] == ["10", None]


def test_xlsx_reads_like_csv(tmp_path: Path) -> None:
    book = Workbook()
    for line in GOOD.splitlines():
        book.active.append([int(cell) if cell.isdigit() else cell or None for cell in line.split(",")])
    book.save(tmp_path / "sheet.xlsx")
    as_csv = read_sheet(write(tmp_path, GOOD))
    as_xlsx = read_sheet(tmp_path / "sheet.xlsx")
    assert [(row.file, row.sample_id, row.labels) for row in as_xlsx] == [
        (row.file, row.sample_id, row.labels) for row in as_csv
    ]


def test_empty_columns_to_the_right_are_nothing(tmp_path: Path) -> None:
    assert read_sheet(write(tmp_path, "file,role,,\na.fcs,stained,,\nb.fcs,,, \n"))[1].labels == {}
    with pytest.raises(DocumentError, match="column 4: the column has no name"):
        read_sheet(write(tmp_path, "file,role,,\na.fcs,stained,,7\n"))
    book = Workbook()
    book.active.append(["file", "role", None])
    book.active.append(["a.fcs", "stained", None])
    book.active.cell(1, 9).number_format = "0.00"
    book.save(tmp_path / "sheet.xlsx")
    assert read_sheet(tmp_path / "sheet.xlsx")[0].labels == {"role": "stained"}


def test_all_mistakes_at_once_with_their_lines(tmp_path: Path) -> None:
    text = "file,sample_id,role\na.fcs,A1,stained\n,A2,stained\nb.fcs,../x,stained\nc.fcs,a1,dyed\na.fcs,A5,blank\n"
    with pytest.raises(DocumentError) as caught:
        read_sheet(write(tmp_path, text))
    found = {(problem.line, problem.path) for problem in caught.value.problems}
    assert found == {(3, "file"), (4, "sample_id"), (5, "role"), (5, "sample_id"), (6, "file")}
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("fil,sample_id\na.fcs,A\n", "rename 'fil' to 'file'"),
        ("file,file\na,b\n", "stands 2 times"),
        ("file,sampleid\na.fcs,A\n", "did you mean `sample_id`"),
        ("file,sample_id\n", "names no tube"),
        ("file,role\na.fcs,stained,extra\n", "3 cells under 2 columns"),
        ("file,,role\na.fcs,x,stained\n", "has no name"),
    ],
)
def test_wrong_shape_is_explained(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(DocumentError, match=word):
        read_sheet(write(tmp_path, text))


def test_empty_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match="empty"):
        read_sheet(write(tmp_path, ""))
    with pytest.raises(InputError, match="cannot be read"):
        read_sheet(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="spreadsheet named as text"):
        read_sheet(write(tmp_path, b"PK\x03\x04rest"))
    with pytest.raises(InputError, match="not an XLSX"):
        read_sheet(write(tmp_path, b"no workbook", "sheet.xlsx"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_sheet(write(tmp_path, b"file\n\xff\xfe.fcs\n"))
    with pytest.raises(InputError, match="not CSV"):
        read_sheet(write(tmp_path, 'file,note\na.fcs,"never closed\n'))


def test_one_file_by_two_paths_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "day1").mkdir()
    (tmp_path / "a.fcs").write_bytes(b"1")
    (tmp_path / "link.fcs").symlink_to(tmp_path / "a.fcs")
    for other in ("day1/../a.fcs", "./a.fcs", str(tmp_path / "a.fcs"), "link.fcs"):
        with pytest.raises(DocumentError, match="stands already on line 2"):
            read_sheet(write(tmp_path, f"file,sample_id\na.fcs,one\n{other},two\n"))


@pytest.mark.parametrize(
    ("column", "text"),
    [("beads_added", "0"), ("stained_ul", "a lot"), ("washed", "perhaps"), ("rbc_bm", "4500000"), ("dilution", "0.1")],
)
def test_numbers_that_cannot_be_are_named_with_their_line(tmp_path: Path, column: str, text: str) -> None:
    with pytest.raises(DocumentError) as wrong:
        read_sheet(write(tmp_path, f"file,{column}\na.fcs,\nb.fcs,{text}\n"))
    (problem,) = wrong.value.problems
    assert (problem.line, problem.path) == (3, column)
    assert problem.hint is not None
    assert problem.hint.startswith("allowed: ")


def test_a_misspelt_number_column_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="did you mean `beads_added`"):
        read_sheet(write(tmp_path, "file,beadsadded\na.fcs,5000\n"))


def test_replicates_have_a_patient_and_a_number_of_their_own(tmp_path: Path) -> None:
    head = "file,patient_id,replicate,pull,role\n"
    good = "a.fcs,P1,1,first,\nb.fcs,P1,2,first,\nc.fcs,P1,1,second,\nd.fcs,P2,1,first,\ne.fcs,P1,1,first,fmo:CD146\n"
    assert len(read_sheet(write(tmp_path, head + good))) == 5
    with pytest.raises(DocumentError) as wrong:
        read_sheet(write(tmp_path, head + "a.fcs,P1,1,,\nb.fcs,,2,,\nc.fcs,P1,1,,\n"))
    assert [(problem.line, problem.path) for problem in wrong.value.problems] == [(3, "replicate"), (4, "replicate")]
    assert "stands already on line 2" in wrong.value.message
