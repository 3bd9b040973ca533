"""The panels of the template shelf by name, as data: which marker is read on which detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stromagate.errors import SpecificationError, did_you_mean
from stromagate.simulate.detectors import DETECTORS_BY_NAME, SPILLOVER_B_PCT, SPILLOVER_PCT, VOLTAGE_B_DECADES
from stromagate.simulate.panel import STROMA_CORE_8, VIABILITY, Antibody, Panel

_STEM = ("hsc", "mpp_cd38neg", "lsc")
_IMMUNE = ("t_cd8", "nk_cell", "treg", "m_mdsc", "pmn_mdsc")

_TRUNK = {"CD235a+CD71": "FITC-A", "CD45": "PerCP-Cy5-5-A", "CD146": "BV421-A", "CD31": "BV711-A", "CD271": "PE-A"}
_CORE = {**_TRUNK, "CD34": "PE-Cy7-A", "CD105": "APC-A", VIABILITY: "APC-Cy7-A"}
_LSC = {
    "CD45": "APC-R700-A",
    "CD34": "PE-Cy7-A",
    "CD38": "APC-A",
    "CD90": "PE-A",
    "CD45RA": "FITC-A",
    "CD123": "BV421-A",
    "CD117": "BV605-A",
    "CD33": "BV711-A",
    "CLEC12A": "PE-CF594-A",
    VIABILITY: "APC-Cy7-A",
}
_IMMUNE_10 = {
    "CD45": "BUV395-A",
    "CD3": "BV510-A",
    "CD4": "BV786-A",
    "CD25": "PE-A",
    "CD127": "BV421-A",
    "CD14": "BV711-A",
    "CD11b": "PE-Cy7-A",
    "HLA-DR": "APC-R700-A",
    "CD15": "FITC-A",
    "CD274": "APC-A",
    VIABILITY: "APC-Cy7-A",
}


def _panel(name: str, title: str, layout: Mapping[str, str], parts: tuple[str, ...] = ()) -> Panel:
    """Lay a panel out: marker (or two in one dump colour) to detector; the viability dye is no antibody."""
    detectors = []
    for marker, pnn in layout.items():
        known = DETECTORS_BY_NAME[pnn]
        # The detector is the same; only the usual one holds the amine dye's name already.
        dye = "APC-Cy7" if known.dye == "FVS780" and marker != VIABILITY else known.dye
        detectors.append(replace(known, marker=marker, dye=dye))
    antibodies = tuple(
        Antibody(antigen, pnn) for marker, pnn in layout.items() if marker != VIABILITY for antigen in marker.split("+")
    )
    return Panel(name, title, tuple(detectors), antibodies, SPILLOVER_PCT, SPILLOVER_B_PCT, VOLTAGE_B_DECADES, parts)


PANELS = (
    STROMA_CORE_8,
    _panel(
        "stroma_ext_12",
        "The usual panel with CD73, CD90, CD166, CD13 and a dye for DNA",
        _CORE | {"CD73": "BV786-A", "CD90": "BV605-A", "CD166": "BUV737-A", "CD13": "PE-CF594-A", "DNA": "UV450-A"},
    ),
    _panel(
        "aspirate_min_5",
        "Five antibodies and 7-AAD for an aspirate",
        {"CD235a": "FITC-A", "CD271": "PE-A", VIABILITY: "7-AAD-A", "CD31": "PE-Cy7-A", "CD105": "APC-A"}
        | {"CD45": "APC-Cy7-A"},
    ),
    _panel("lsc_hsc_9", "Stem cells of blood and of leukaemia", _LSC, _STEM),
    _panel(
        "lsc_hsc_11",
        "Stem cells of blood and of leukaemia, with TIM3 and GPR56",
        _LSC | {"TIM3": "BV786-A", "GPR56": "BUV737-A"},
        _STEM,
    ),
    _panel("immune_10", "T cells, regulatory T cells and suppressor cells, PD-L1", _IMMUNE_10, _IMMUNE),
    _panel(
        "immune_12",
        "The immune panel with CD33 and CD34 for blasts",
        _IMMUNE_10 | {"CD33": "PE-CF594-A", "CD34": "BV605-A"},
        _IMMUNE,
    ),
    _panel(
        "blast_adhesion",
        "Adhesion molecules of blasts",
        {"CD45": "PerCP-Cy5-5-A", "CD34": "PE-Cy7-A", "CD117": "BV605-A", "CD33": "BV711-A", "CD184": "BV421-A"}
        | {"CD49d": "PE-A", "CD44": "APC-A", VIABILITY: "APC-Cy7-A"},
    ),
    _panel(
        "msc_like_cd13",
        "CD13 bright cells without lineage markers",
        {"CD45": "APC-R700-A", "CD13": "PE-A", "CD34": "PE-Cy7-A", "CD117": "BV605-A", "CD11b": "BV711-A"}
        | {"CD16": "BV421-A", "CD71": "APC-A", "CD64": "FITC-A", "DNA": "UV450-A", VIABILITY: "APC-Cy7-A"},
    ),
    _panel(
        "isct_culture_qc",
        "Purity of cultured MSC",
        {"CD73": "PE-A", "CD90": "FITC-A", "CD105": "APC-A", "CD45": "PerCP-Cy5-5-A", "CD34": "PE-Cy7-A"}
        | {"CD14": "BV605-A", "CD19": "BV711-A", "HLA-DR": "BV421-A", VIABILITY: "APC-Cy7-A"},
    ),
    _panel(
        "stroma_subsets",
        "The usual panel with SUSD2, MSCA-1, CD56, CD140a and CD51",
        _CORE
        | {"SUSD2": "PE-CF594-A", "MSCA-1": "BV605-A", "CD56": "BV786-A", "CD140a": "BUV395-A"}
        | {"CD51": "BUV737-A"},
    ),
    _panel(
        "niche_13",
        "Endothelium, pericytes, bone-lining cells and cross-talk",
        _TRUNK
        | {"CD144": "PE-Cy7-A", "CD105": "APC-A", VIABILITY: "APC-Cy7-A", "NG2": "PE-CF594-A", "ALP": "BV605-A"}
        | {"STRO-1": "BV786-A", "CD339": "BV650-A", "CXCL12": "BUV737-A"},
    ),
    _panel(
        "hypoxia",
        "The usual panel with CA9 and HIF-1a instead of CD105",
        _TRUNK | {"CD34": "PE-Cy7-A", "CA9": "APC-A", "HIF-1a": "PE-CF594-A", VIABILITY: "APC-Cy7-A"},
    ),
)


def panel(name: str) -> Panel:
    """Return a panel by name; SpecificationError with the nearest name where there is none."""
    for candidate in PANELS:
        if candidate.name == name:
            return candidate
    hint = did_you_mean(name, [candidate.name for candidate in PANELS])
    raise SpecificationError("simulate.panel", f"there is no panel '{name}'", hint=hint)
