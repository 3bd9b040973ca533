"""A template in plain sentences calls what it reports by the labels that stand in the report."""

from __future__ import annotations

import re

import pytest

from stromagate.pipeline.template import load_template, sentences

NAMES = (
    "aspirate_min_5",
    "bm_stroma_core",
    "hypoxia_10",
    "isct_culture_qc",
    "kim2015_like",
    "lsc_hsc_9",
    "stroma_niche",
)


def test_ratios_read_outs_and_expectations_are_called_by_their_labels() -> None:
    told = sentences(load_template("bm_stroma_core"))
    assert "Ratio: “Mesenchymal stromal cells” to “CD34+ leukocytes (progenitors, blasts)”." in told
    (share,) = (line for line in told if line.startswith("Read-out Endothelium"))
    assert "“Endothelial cells” to “Mesenchymal stromal cells”" in share
    (asked, *_) = (line for line in sentences(load_template("isct_culture_qc")) if line.startswith("Expected"))
    assert re.match(r"Expected: “.+” at (least|most) [\d.]+ % of “.+” \(", asked)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_template_stands_where_a_label_could(name: str) -> None:
    loaded = load_template(name)
    labelled = {each.name for each in loaded.template.populations if each.label}
    for line in sentences(loaded):
        if line.startswith(("Ratio", "Expected", "Read-out", "Counting beads")):
            words = set(re.findall(r"\w+", re.sub(r"“.*?”", "", line)))
            assert not words & {each for each in labelled if "_" in each or each in {"msc", "progenitors"}}, line
