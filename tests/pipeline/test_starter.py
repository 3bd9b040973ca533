"""A first template from a file: it loads, binds and runs on that file, whatever the file calls its channels."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import SpecificationError
from stromagate.fcs import read_header, write_fcs
from stromagate.pipeline import analyze
from stromagate.pipeline.inspection import template_fit
from stromagate.pipeline.starter import copy_for, starter, template_name
from stromagate.pipeline.template import load_template
from stromagate.templates import LoadedTemplate
from tests.tubes import write_tube


def _tube(path: Path, labels: list[str], names: list[str] | None = None, extra: tuple[str, ...] = ()) -> Path:
    columns = [*extra, *(names or [f"B{number}-A" for number in range(len(labels))])]
    events = np.random.default_rng(0).normal(100, 50, (50, len(columns))).astype(np.float32)
    write_fcs(path, events, columns, labels=[*("" for _ in extra), *labels])
    return path


def _load(folder: Path, text: str) -> LoadedTemplate:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return load_template(path)


def _all_proposals(text: str) -> str:
    """Take the # away from every proposal."""
    return re.sub(r"^  # (?=- |  )", "  ", text, flags=re.MULTILINE)


def test_it_runs_on_its_own_file_as_it_is_and_with_every_proposal(tmp_path: Path) -> None:
    tube = write_tube(tmp_path / "t.fcs")
    text = starter(tube, "mine")
    for version in (text, _all_proposals(text)):
        loaded = _load(tmp_path, version)
        result = analyze(tube, loaded)
        assert result.count("singlets")
    assert [item.name for item in loaded.template.populations][-3:] == ["cd45_pos", "cd146_pos", "cd271_pos"]
    assert loaded.template.status == "local"


def test_names_are_read_kept_or_left_out(tmp_path: Path) -> None:
    labels = ["CD146 PE", "MCAM", "LNGFR", "CD235a+CD71", "LAIP 7", "", "7-AAD", "no", "CD3"]
    names = ["A-A", "B-A", "C-A", "D-A", "E-A", "FL6-A", "G-A", "H-A", "I-A"]
    text = starter(_tube(tmp_path / "t.fcs", labels, names, extra=("FSC-A", "SSC-A")), "mine")
    template = _load(tmp_path, text).template
    assert template.panel.required == ("CD271", "CD235a", "LAIP 7", "Viability", "no", "CD3")
    assert template.aliases == {"CD235a": ("CD235a+CD71",)}
    assert "A-A, because CD146 is on 2 channels" in text
    assert "FL6-A, because it has no label" in text
    assert "C-A: written LNGFR" in text
    assert "not known to us" in text


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["", "CD4"], ["CD3_CD19_Pr141", "B-A"]),  # two markers in a detector's name: no template can be told so
        (["xxx", "", "CD4"], ["405nm BV570 (580/30) LogH", "xxx (710/40) LogH", "B-A"]),  # one name on two channels
    ],
)
def test_what_a_template_could_not_find_again_is_left_out(tmp_path: Path, labels: list[str], names: list[str]) -> None:
    tube = _tube(tmp_path / "t.fcs", labels, names, extra=("FSC-A",))
    text = starter(tube, "mine")
    loaded = _load(tmp_path, text)
    assert loaded.template.panel.required == ("CD4",)
    assert template_fit(read_header(tube), loaded.template).fits
    assert "left out" in text


def test_a_file_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError) as caught:
        starter(_tube(tmp_path / "t.fcs", ["", ""], ["FL1-A", "FL2-A"]), "mine")
    assert caught.value.code == "templates.no_markers"
    assert "FL1-A" in (caught.value.hint or "")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=20) | st.sampled_from(["CD45", "cd45", "CD 45 PE", "no", "CD1+CD71", "CD71", "Time"])))
def test_whatever_the_labels_the_template_loads_and_binds(labels: list[str]) -> None:
    safe = ["".join(c for c in label if c.isprintable() and c.isascii()) for label in labels]
    with tempfile.TemporaryDirectory() as folder:
        tube = _tube(Path(folder) / "t.fcs", [*safe, "CD999"], extra=("FSC-A", "FSC-H"))
        text = starter(tube, "mine")
        for version in (text, _all_proposals(text)):
            loaded = _load(Path(folder), version)
            fit = template_fit(read_header(tube), loaded.template)
            assert fit.fits, fit.reason


def test_a_copy_is_local_and_gates_alike(tmp_path: Path) -> None:
    tube = Path(__file__).parents[2] / "sample_fcs" / "healthy_01_stained.fcs"
    copied, shipped = _load(tmp_path, copy_for(tube, "mine", "bm_stroma_core")), load_template("bm_stroma_core")
    assert (copied.template.name, copied.template.status, copied.template.version) == ("mine", "local", "1.0.0")
    assert copied.gates == shipped.gates
    assert copied.template.sources == shipped.template.sources


def test_a_copy_for_a_tube_that_lacks_a_marker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match="Viability"):
        copy_for(write_tube(tmp_path / "t.fcs"), "mine", "bm_stroma_core")


@pytest.mark.parametrize(
    ("stem", "name"),
    [("my panel-2", "my_panel_2"), ("12_colours", "panel_12_colours"), ("\N{GREEK SMALL LETTER MU}", "panel")],
)
def test_a_files_name_becomes_a_templates_name(stem: str, name: str) -> None:
    assert template_name(stem) == name
