"""Every shipped template: its sentences, what it warns of, and that panels with one trunk gate it alike."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stromagate.pipeline.template import load_template, reference, sentences
from stromagate.templates import LoadedTemplate, library
from tests.golden import matches_golden
from tests.reference_data import ROOT

SHELF = library.names()
OF_CORE = ("kim2015_like", "stroma_ext_12", "stroma_niche", "stroma_subsets", "aspirate_min_5", "hypoxia_10")


@pytest.mark.parametrize("name", SHELF)
def test_sentences(name: str) -> None:
    matches_golden(f"explain_{name}.txt", "\n".join(sentences(load_template(name))) + "\n")


@pytest.mark.parametrize("name", [name for name in SHELF if name != "bm_stroma_core"])
def test_every_panel_says_what_it_is_not_good_for(name: str) -> None:
    loaded = load_template(name)
    assert loaded.template.warnings
    assert reference(loaded).warnings == loaded.template.warnings
    for warning in loaded.template.warnings:
        assert f"Warning: {warning}" in sentences(loaded)


@pytest.mark.parametrize("name", SHELF)
def test_no_nucleated_cells_without_a_dye_for_dna(name: str) -> None:
    template = load_template(name).template
    words = " ".join([*(item.name for item in template.populations), *(item.label for item in template.populations)])
    assert ("DNA" in template.panel.required) or not re.search(r"(?<!non)nucleated", words, re.IGNORECASE)


@pytest.mark.parametrize("name", OF_CORE)
def test_panels_with_the_trunk_of_the_core_gate_it_alike(name: str) -> None:
    """Templates are whole documents, without inheritance; this keeps the copies of one gate one gate."""
    core, own = _gates(load_template("bm_stroma_core")), _gates(load_template(name))
    shared = [population for population in core if population in own]
    assert len(shared) >= 10
    different = [population for population in shared if core[population] != own[population]]
    assert set(different) <= MEANT.get(name, set()), different


# `progenitors`: the DNA dye shines into CD146. `any_cd45_low`: CD13 lies on dim myeloid cells, which stroma's wider cut
# would let in. The others are other definitions under the usual name.
MEANT = {
    "msc_like_cd13": {"any_cd45_low"},
    "stroma_ext_12": {"progenitors"},
    "aspirate_min_5": {"cd271pos", "endothelium", "msc", "viable_not_stroma"},
}


def _gates(loaded: LoadedTemplate) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for population in loaded.template.populations:
        text = str([(step.method, step.params.model_dump()) for step in loaded.gates[population.name]])
        # CD34 or a DNA dye change the names of what is combined, not the gates.
        text = text.replace("cd31neg_cd34neg", "cd31neg").replace(", 'any_cd34pos'", "").replace("'any_cd31pos',)", "X")
        text = text.replace("'any_cd31pos')", "X").replace("nucleated_not_stroma", "viable_not_stroma")
        found[population.name] = text
    return found


def test_the_isct_shares_are_the_published_ones() -> None:
    asked = {each.population: (each.at_least, each.at_most) for each in _expectations("isct_culture_qc")}
    assert {name for name, limits in asked.items() if limits == (0.95, None)} == {"cd73_pos", "cd90_pos", "cd105_pos"}
    negatives = {"cd45_pos", "cd34_pos", "cd14_pos", "cd11b_pos", "cd79a_pos", "cd19_pos", "hla_dr_pos"}
    assert {name for name, limits in asked.items() if limits == (None, 0.02)} == negatives


def _expectations(name: str) -> Any:
    return load_template(name).template.expectations


def test_the_preprints_cut_off_is_told_and_not_applied() -> None:
    template = load_template("msc_like_cd13").template
    assert template.status == "preprint"
    assert any("0.265 %" in warning for warning in template.warnings)
    assert not template.expectations


def test_kims_phenotype_is_written_in_one_place() -> None:
    text = library.text("kim2015_like")
    assert text.count("EDIT HERE") == 2  # the head says where, the place says so
    assert load_template("kim2015_like").template.status == "reconstruction"


def test_a_count_of_suppressor_cells_in_leukaemia_is_warned_of() -> None:
    assert any("not interpretable without" in warning for warning in load_template("immune_10").template.warnings)


def test_the_table_of_the_shelf_is_true() -> None:
    guide = (ROOT / "gating_templates" / "README.md").read_text(encoding="utf-8")
    rows = dict(
        re.findall(r"^\| `(\w+)` \| [^|]+ \| (consensus|reconstruction|preprint|local) \|", guide, re.MULTILINE)
    )
    assert rows == {name: load_template(name).template.status for name in SHELF}
