"""Counting beads in a template: named, explained, and no part of the identity of templates that have none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from stromagate.errors import DocumentError
from stromagate.pipeline.template import load_template, sentences
from tests.tubes import TEMPLATE, write_template

BEADY = TEMPLATE.replace(
    "populations:\n",
    "populations:\n  - {name: beads, parent: all, gate: {method: fixed, axis: CD45, low: 0.9}}\n",
)


def test_a_template_without_beads_has_the_identity_it_had_before_there_were_any(tmp_path: Path) -> None:
    loaded = load_template(write_template(tmp_path / "t.yaml"))
    later = {"beads", "ratios", "readouts"}  # keys that came later, and are empty here
    document = {name: value for name, value in loaded.template.model_dump(mode="json").items() if name not in later}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert loaded.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_beads_are_part_of_the_identity_and_of_the_sentences(tmp_path: Path) -> None:
    plain = load_template(write_template(tmp_path / "plain.yaml", BEADY))
    named = load_template(write_template(tmp_path / "named.yaml", BEADY + "beads: beads\n"))
    assert named.template.beads == "beads"
    assert plain.sha256 != named.sha256
    assert any(sentence.startswith("Counting beads: beads,") for sentence in sentences(named))
    assert not any("Counting beads" in sentence for sentence in sentences(plain))


@pytest.mark.parametrize("name", ["baeds", "all", "[beads]", "''"])
def test_beads_are_a_population_of_the_template(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError) as wrong:
        load_template(write_template(tmp_path / "t.yaml", BEADY + f"beads: {name}\n"))
    assert any(problem.path.startswith("beads") for problem in wrong.value.problems)
