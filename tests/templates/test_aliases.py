"""The table of names: complete where the domain asks for it, and one name for one marker."""

from __future__ import annotations

from pathlib import Path

import pytest

from stromagate.templates import aliases
from stromagate.templates.aliases import known_aliases, squash, vocabulary
from stromagate.templates.yaml_tree import read_tree

TABLE = read_tree(Path(aliases.__file__).with_name("aliases.yaml").read_bytes())


def test_the_table_is_right_by_our_own_rules() -> None:
    assert not TABLE.faults
    assert set(TABLE.value) == {"markers", "dyes", "fluorochromes", "metals", "words"}


def test_no_alias_names_two_markers() -> None:
    owners: dict[str, str] = {}
    for section in ("markers", "dyes"):
        for marker, names in TABLE.value[section].items():
            for name in (marker, *names):
                assert owners.setdefault(squash(name), marker) == marker, name


def test_two_owners_of_a_name_are_refused() -> None:
    with pytest.raises(ValueError, match="names both CD1 and CD2"):
        aliases._by_name({"CD1": ["MIC3"], "CD2": ["mic-3"]})


def test_no_fluorochrome_is_a_marker() -> None:
    words = vocabulary()
    for name in {**words.markers, **words.dyes}:
        assert not words.beside.fullmatch(name), name


@pytest.mark.parametrize(
    ("marker", "names"),
    {
        "CD146": "MCAM/Mel-CAM/MUC18/S-endo-1/P1H12",
        "CD271": "NGFR/LNGFR/p75NTR",
        "CD140a": "PDGFRa",
        "CD295": "LEPR",
        "CD51": "ITGAV",
        "CD105": "ENG",
        "CD73": "NT5E",
        "CD90": "THY1",
        "CD235a": "GYPA/GPA",
        "CD31": "PECAM1",
        "CD144": "CDH5/VE-cadherin",
        "CD309": "KDR/VEGFR2",
        "MSCA-1": "TNAP/ALPL/W8B2",
        "SUSD2": "W5C5/W3D5",
        "CLEC12A": "CLL-1/CD371",
        "TIM3": "HAVCR2/CD366",
        "GPR56": "ADGRG1",
        "CD184": "CXCR4",
        "CD49d": "ITGA4",
        "CD274": "PD-L1",
        "CD339": "JAG1",
        "CD71": "TFRC",
        "Viability": "7-AAD/7AAD/DAPI/PI/LIVE/DEAD/LD/Zombie/FVS/SYTOX/viability dye",
        "DNA": "DRAQ5/Hoechst",
    }.items(),
)
def test_names_the_field_uses(marker: str, names: str) -> None:
    for name in names.replace("LIVE/DEAD", "LIVEDEAD").split("/"):
        assert known_aliases()[squash(name)] == marker


@pytest.mark.parametrize(
    "word", ["BV421", "Alexa Fluor 700", "PE-Cy7", "APC-H7", "PerCP-Cy5.5", "FITC", "Sm154", "154Sm", "In115Di", "A"]
)
def test_words_that_stand_beside_a_marker(word: str) -> None:
    assert vocabulary().beside.fullmatch(squash(word))


@pytest.mark.parametrize("word", ["RA", "RO", "CD45", "B", "2", "Cd112", "BV", "GFP", "low"])
def test_words_that_may_change_the_marker(word: str) -> None:
    assert not vocabulary().beside.fullmatch(squash(word))


@pytest.mark.parametrize(
    ("text", "folded"),
    [("CD-45 ra", "cd45ra"), ("PDGFR\N{GREEK SMALL LETTER ALPHA}", "pdgfralpha"), ("ＣＤ３４", "cd34"), (" ", "")],
)
def test_folding(text: str, folded: str) -> None:
    assert squash(text) == folded
