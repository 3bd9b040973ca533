"""Counting a known tree on a file: the numbers, the refusals, and the threads it leaves as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import stromagate as sg
from stromagate.errors import InputError, SpecificationError
from stromagate.fcs import read_fcs, write_fcs
from stromagate.gating.replay import members
from stromagate.model.config import RunConfig
from stromagate.model.gates import Axis, GateNode, GateTree, Interval
from stromagate.model.sample import GainConvention
from stromagate.model.scales import Scale
from stromagate.pipeline.threads import one_blas_thread
from stromagate.prepare import prepare
from tests.fcs.make_fcs import Column, Spec, chain
from tests.tubes import NAMES, SPILLOVER, STAINS, write_template, write_tube


def _blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_a_result_s_tree_counts_the_same_on_the_file(tmp_path: Path) -> None:
    tube, template = write_tube(tmp_path / "tube.fcs"), write_template(tmp_path / "small.yaml")
    result = sg.analyze(tube, template)
    counts = sg.count_populations(tube, result.tree)
    assert counts == {"all": 3000, **{node.name: result.count(node.name) for node in result.tree.nodes}}
    assert 0 < counts["progenitors"] < counts["msc"] < counts["cells"]


def test_a_tree_counts_on_values_read_as_those_it_was_made_on(tmp_path: Path) -> None:
    plain = read_fcs(write_tube(tmp_path / "plain.fcs"))
    keywords = {"$SPILLOVER": SPILLOVER, "$TIMESTEP": "1", **{f"$P{n}G": "4" for n in (4, 5, 6)}}
    tube, events = tmp_path / "gained.fcs", plain.events * np.array([1, 1, 1, 4, 4, 4, 1], dtype=np.float32)
    write_fcs(tube, events, NAMES, labels=STAINS, keywords=keywords)
    template = write_template(tmp_path / "small.yaml")
    counts = {}
    conventions: tuple[GainConvention, ...] = ("apply", "ignore")
    for gain in conventions:
        result = sg.analyze(tube, template, RunConfig(gain=gain))
        counts[gain] = sg.count_populations(tube, result.tree)
        assert counts[gain] == {"all": 3000, **{node.name: result.count(node.name) for node in result.tree.nodes}}
        other = read_fcs(tube, gain="ignore" if gain == "apply" else "apply")
        with pytest.raises(SpecificationError, match="gain convention"):
            members(prepare(other, sg.load_template(template).template), result.tree)
    assert counts["apply"] != counts["ignore"]


def test_the_data_set_that_was_analysed_can_be_counted(tmp_path: Path) -> None:
    coarse, fine = (
        Spec(columns=(Column("FSC-A", values, top="1024"),), version=version)
        for values, version in (((1, 2, 3, 4), "2.0"), ((5, 6, 7, 8), "3.0"))
    )
    (tmp_path / "pair.lmd").write_bytes(chain(coarse, fine)[0])
    gate = GateNode("p", "all", "fixed", Interval("FSC-A", 3.0, None), "fixed", "")
    tree = GateTree((gate,), {"FSC-A": Axis("FSC-A", Scale("linear"), False)})
    counted = [sg.count_populations(tmp_path / "pair.lmd", tree, dataset=dataset)["p"] for dataset in (None, 0, 1)]
    assert counted == [4, 2, 4]


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
