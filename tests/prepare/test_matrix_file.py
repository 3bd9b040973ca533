"""Matrix files as labs write them, and every way of writing them wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import InputError, StromagateError
from stromagate.prepare.matrix_file import read_matrix
from tests.prepare.tubes import MATRIX, PNN
from tests.reference_data import DATA, needs_reference_data

PLAIN = "PE-A,APC-A,FITC-A\n1,0.2,0.05\n0.1,1,0.01\n0,0.03,1\n"


def read(folder: Path, text: str | bytes) -> np.ndarray:
    path = folder / "matrix.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = read_matrix(path, PNN)
    assert found.channels == ("PE-A", "APC-A", "FITC-A")
    assert found.source == "matrix.csv"
    return np.array(found.matrix)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        "\ufeff" + PLAIN.replace("\n", "\r\n"),
        PLAIN + "\n\n",
        PLAIN.replace("PE-A", "pe-a").replace("APC-A", "APC-A :: CD271").replace("FITC-A", "CD45::FITC-A"),
        ",PE-A,APC-A,FITC-A\nPE-A,1,0.2,0.05\nAPC-A,0.1,1,0.01\nFITC-A,0,0.03,1\n",
        ",PE-A,APC-A,FITC-A\nAPC-A,0.1,1,0.01\nFITC-A,0,0.03,1\nPE-A,1,0.2,0.05\n",
        "PE-A,APC-A,FITC-A\nPE,1,0.2,0.05\nAPC,0.1,1,0.01\nFITC,0,0.03,1\n",
        "PE-A,APC-A,FITC-A\n100,20,5\n10,100,1\n0,3,100\n",
    ],
    ids=[
        "plain",
        "semicolon",
        "tab",
        "bom",
        "blank lines",
        "stains",
        "named",
        "named, other order",
        "short",
        "percent",
    ],
)
def test_spellings(tmp_path: Path, text: str) -> None:
    assert np.allclose(read(tmp_path, text), MATRIX)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no rows"),
        ("PE-A,APC-A,FITC-A\n", "no rows"),
        (PLAIN.replace("PE-A", "PE-H"), "line 1, header: the file has no channel 'PE-H' (did you mean 'PE-A'?"),
        (PLAIN.replace("APC-A", "PE-A"), "stands twice"),
        (PLAIN.replace("0.2", "NA"), "line 2, row: 'NA' is not a number"),
        (PLAIN.replace(",", ";").replace("0.2", "0,2"), "decimal points"),
        (PLAIN.replace("0.2", "inf"), "'inf' is not a number"),
        (PLAIN.replace("0,0.03,1\n", ""), "2 rows under 3 channels"),
        (PLAIN.replace("1,0.2,0.05", "1,0.2"), "line 2, row: 2 values under 3 channels"),
        (PLAIN.replace("0.1,1,", "0.1,1.5,"), "diagonal"),
        (b"\xff\xfe\x00P", "UTF-8"),
    ],
)
def test_mistakes(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(StromagateError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)
    assert "matrix.csv" in (caught.value.where or "")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_matrix(tmp_path / "none.csv", PNN)


@needs_reference_data
def test_a_matrix_of_r_users_is_read() -> None:
    path = DATA / "cytoexplorer" / "Compensation-Spillover-Matrix.csv"
    names = path.read_text(encoding="utf-8").splitlines()[0].replace('"', "").split(",")[1:]
    found = read_matrix(path, names)
    assert found.channels == tuple(names)
    assert np.array(found.matrix)[0, 1] == 0.180901
