"""Counting a known tree on a file: the numbers, the refusals, and the threads it leaves as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import stromagate as sg
from stromagate.errors import InputError, SpecificationError
from stromagate.model.gates import Axis, GateNode, GateTree, Interval
from stromagate.model.scales import Scale
from stromagate.pipeline.threads import one_blas_thread
from tests.tubes import write_template, write_tube


def _blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_a_result_s_tree_counts_the_same_on_the_file(tmp_path: Path) -> None:
    tube, template = write_tube(tmp_path / "tube.fcs"), write_template(tmp_path / "small.yaml")
    result = sg.analyze(tube, template)
    counts = sg.count_populations(tube, result.tree)
    assert counts == {"all": 3000, **{node.name: result.count(node.name) for node in result.tree.nodes}}
    assert 0 < counts["progenitors"] < counts["msc"] < counts["cells"]


def test_a_tree_of_another_tube_s_channels_is_refused_by_name(tmp_path: Path) -> None:
    tube = write_tube(tmp_path / "tube.fcs")
    gate = GateNode("p", "all", "fixed", Interval("CD45", 0.0, None), "fixed", "")
    tree = GateTree((gate,), {"CD45": Axis("BV421-A", Scale("linear"), False)})
    with pytest.raises(SpecificationError, match="BV421-A"):
        sg.count_populations(tube, tree)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.fcs"
    broken.write_bytes(b"no FCS file at all")
    with pytest.raises(InputError):
        sg.count_populations(broken, GateTree((), {}))


def test_linear_algebra_gets_its_threads_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert np.ones((2, 2)) @ np.ones(2) is not None
    before = _blas_threads()
    assert before
    with one_blas_thread():
        assert set(_blas_threads()) == {1}
    assert _blas_threads() == before
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        _ = 1 / 0
    assert _blas_threads() == before
