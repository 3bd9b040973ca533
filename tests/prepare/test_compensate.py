"""Never compensated twice, never silently not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import SpecificationError
from stromagate.model.config import RunConfig
from stromagate.model.panel import Panel
from stromagate.model.sample import Spillover
from stromagate.prepare.compensate import choose_compensation
from stromagate.prepare.labels import is_compensated_name
from tests.prepare.tubes import MATRIX, PNN, panel, spill, tube


def test_the_files_own_matrix_is_used() -> None:
    sample = tube(spillover=spill(MATRIX))
    found = choose_compensation(sample, panel(sample), RunConfig())
    assert found is not None
    assert found.source == "$SPILLOVER of the file"
    assert np.array_equal(found.matrix, MATRIX)


def test_a_given_matrix_goes_over_the_files(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("PE-A,APC-A\n1,0.5\n0,1\n", encoding="utf-8")
    sample = tube(spillover=spill(MATRIX))
    found = choose_compensation(sample, panel(sample), RunConfig(compensation=str(path)))
    assert found is not None
    assert (found.source, found.channels) == ("mine.csv", ("PE-A", "APC-A"))


@pytest.mark.parametrize("wrong", [100 * MATRIX, np.linalg.inv(MATRIX), np.diag([1.0, 0.5, 1.0])])
def test_a_matrix_whose_diagonal_is_not_one_stops_where_markers_are_gated(wrong: np.ndarray) -> None:
    sample = tube(spillover=spill(wrong))
    with pytest.raises(SpecificationError, match=r"\$SPILLOVER is no spillover matrix: .* on the diagonal") as caught:
        choose_compensation(sample, panel(sample), RunConfig())
    assert caught.value.code == "compensation.diagonal"
    assert choose_compensation(sample, panel(sample), RunConfig(compensation="none")) is None


@pytest.mark.parametrize("status", ["absent", "unit"])
def test_no_matrix_means_none(status: str) -> None:
    sample = tube(spillover=Spillover(status))
    assert choose_compensation(sample, panel(sample), RunConfig()) is None


def test_none_is_none_even_with_a_matrix() -> None:
    sample = tube(spillover=spill(MATRIX))
    assert choose_compensation(sample, panel(sample), RunConfig(compensation="none")) is None


BROKEN = Spillover("malformed", "$SPILLOVER", text="3,PE-A,1,000,0" * 40, reason="9 values where 4 are due")


def test_a_malformed_matrix_stops_where_markers_are_gated() -> None:
    sample = tube(spillover=BROKEN)
    with pytest.raises(SpecificationError) as caught:
        choose_compensation(sample, panel(sample), RunConfig())
    assert "9 values where 4 are due" in caught.value.message
    assert "3,PE-A,1,000" in caught.value.message
    assert "--compensation" in (caught.value.hint or "")
    assert len(caught.value.message) < 300


def test_a_malformed_matrix_stops_nothing_else() -> None:
    sample = tube(spillover=BROKEN)
    scatter_only = Panel(tuple(item for item in panel(sample).bindings if item.how == "scatter"))
    assert choose_compensation(sample, scatter_only, RunConfig()) is None
    assert choose_compensation(sample, panel(sample), RunConfig(compensation="none")) is None


COMPENSATED = ("FSC-A", "Comp-PE-A", "Comp-APC-A", "Comp-FITC-A", "Time")


def test_exported_values_are_not_compensated_again(tmp_path: Path) -> None:
    sample = tube(spillover=spill(MATRIX, COMPENSATED[1:4]), pnn=COMPENSATED)
    assert choose_compensation(sample, panel(sample), RunConfig()) is None
    path = tmp_path / "m.csv"
    path.write_text("Comp-PE-A\n1\n", encoding="utf-8")
    with pytest.raises(SpecificationError, match="twice"):
        choose_compensation(sample, panel(sample), RunConfig(compensation=str(path)))


@pytest.mark.parametrize(
    ("name", "compensated"),
    [
        ("Comp-PE-A", True),
        ("<PE-A>", True),
        ("comp PE-A", True),
        ("Comp.PE.A", True),
        ("PE-A (Comp)", True),
        ("PE-A", False),
        ("Compound-A", False),
    ],
)
def test_names_of_exported_columns(name: str, compensated: bool) -> None:
    assert is_compensated_name(name) is compensated


@pytest.mark.parametrize("mark", ["Comp-{}", "<{}>", "Comp.{}", "{} (comp)"])
def test_no_spelling_of_exported_columns_is_compensated_again(mark: str) -> None:
    """However a program marks them: a second matrix would give wrong numbers that nobody sees."""
    pnn = tuple(mark.format(name) if name.endswith("-A") and name != "FSC-A" else name for name in PNN)
    marked = tuple(name for name in pnn if is_compensated_name(name))
    assert len(marked) == 3
    sample = tube(spillover=spill(MATRIX, marked), pnn=pnn)
    assert choose_compensation(sample, panel(sample), RunConfig()) is None
