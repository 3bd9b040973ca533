"""What is true of CD146 on the MSC of a tube, whose share is a matter of where one cuts, and of the denominators.

Native MSC run from CD146 negative to bright without a gap, so that "the share with CD146" has a value only together
with a level. By kind of cell, ``progenitors`` are the MSC at or above the middle of the continuum (``cut_log10`` in
units above autofluorescence, the same for every donor: one whose CD146 lies higher has more of them). By level, the
share is given at every tenth of a decade.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stromagate.model.sample import F64
from stromagate.simulate.populations import ALL_POPULATIONS, MSC
from stromagate.simulate.stromal_cells import CD146_OF_MSC
from stromagate.simulate.truth import Truth
from stromagate.simulate.tube import Tube

ERYTHROBLASTS = ("proerythroblast", "early_erythroblast", "late_erythroblast")
STROMA = (*MSC, "endothelium", "cd146_only", "osteolineage")
_LEVELS_LOG10 = np.round(np.arange(1.5, 4.55, 0.1), 1)
_QUANTILES_PCT = (5, 25, 50, 75, 95)


def cd146_log10(tube: Tube) -> F64:
    """Return CD146 of the living single MSC before any light, shape (n_msc,), log10 of units above autofluorescence."""
    truth = tube.truth
    counted = truth.viable_singlet[truth.is_one_of(*MSC)]
    return np.log10(tube.cd146_of_msc[counted].astype(np.float64))


def share_above(tube: Tube, level_log10: float) -> float:
    """Return the share of living single MSC whose CD146 lies at or above a level; NaN in a tube without MSC."""
    levels = cd146_log10(tube)
    return float(np.mean(levels >= level_log10)) if levels.size else float("nan")


def cd146_report(tube: Tube) -> dict[str, Any]:
    """Return the truth of CD146 on a tube's MSC, by kind of cell and by level, as one JSON object."""
    levels = np.sort(cd146_log10(tube))
    truth, n = tube.truth, levels.size
    progenitors = int((truth.is_one_of(MSC[1]) & truth.viable_singlet).sum())
    above = n - np.searchsorted(levels, _LEVELS_LOG10, side="left")
    return {
        "cut_log10": CD146_OF_MSC.cut_log10,
        "cut_units_in_file": _cut_units(tube),
        "msc": int(n),
        "progenitors": progenitors,
        "share_by_kind": round(progenitors / n, 6) if n else None,
        "share_at_log10": {
            f"{level:.1f}": round(int(count) / n, 6) if n else None
            for level, count in zip(_LEVELS_LOG10, above, strict=True)
        },
        "quantiles_log10": {
            f"{pct}": round(float(np.percentile(levels, pct)), 4) if n else None for pct in _QUANTILES_PCT
        },
    }


def denominators(truth: Truth) -> dict[str, dict[str, Any]]:
    """Return living singlets by each denominator in use, and the MSC per million of it.

    ``nucleated`` are all nucleated cells; ``nucleated_without_erythroblasts`` what is left of them where CD235a+ and
    CD71+ cells are put out first (in an erythroid marrow a third); ``leukocytes`` these without stroma, which is what
    CD45+ cells come to.
    """
    nucleated = {each.name for each in ALL_POPULATIONS if each.nucleated}
    kinds = {
        "nucleated": nucleated,
        "nucleated_without_erythroblasts": nucleated - set(ERYTHROBLASTS),
        "leukocytes": nucleated - {*ERYTHROBLASTS, *STROMA},
    }
    single = truth.viable_singlet
    counts = {name: int((truth.is_one_of(*members) & single).sum()) for name, members in kinds.items()}
    stroma = {"msc": MSC, "progenitors": MSC[1:]}
    found = {name: int((truth.is_one_of(*members) & single).sum()) for name, members in stroma.items()}
    return {
        name: {
            "viable_singlets": n,
            **{f"{kind}_per_million": round(1e6 * count / n, 3) if n else None for kind, count in found.items()},
        }
        for name, n in counts.items()
    }


def _cut_units(tube: Tube) -> float | None:
    """Return where the cut lies in the compensated file, above autofluorescence; None without a CD146 colour."""
    if "CD146" not in tube.panel.markers:
        return None
    gain = float(tube.instrument.gain[tube.panel.markers.index("CD146")])
    return round(float(10.0**CD146_OF_MSC.cut_log10 * gain), 2)
