"""Panel A (``stroma_core_8``) on a four-laser analyser: antibodies, dyes, detectors, spillover and noise, as data.

CD271 and CD146 sit on the two brightest dyes, away from the spill of CD45 and of the viability dye; both red-cell
antibodies share one detector, the dump. Shares and noise are ordinary values for such an instrument, no particular one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import SpecificationError, did_you_mean
from stromagate.model.sample import F64

VIABILITY = "Viability"
CEILING = 262_143
"""Largest value of the 18-bit scale."""

SCATTER = ("FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H")


@dataclass(frozen=True, slots=True)
class Detector:
    """One fluorescence detector and the dye it is meant for.

    ``units_per_photoelectron`` is g of the noise model (2 to 6 for the bright dyes, 8 to 20 for dim and far-red ones),
    ``electronic_sd_units`` the noise without light, ``autofluorescence`` its share of a cell's autofluorescence
    relative to the brightest detector.
    """

    pnn: str
    marker: str
    dye: str
    units_per_photoelectron: float
    electronic_sd_units: float
    autofluorescence: float
    voltage: int


@dataclass(frozen=True, slots=True)
class Antibody:
    """One antibody: what it binds and the detector its dye is read in."""

    antigen: str
    pnn: str


DETECTORS = (
    Detector("FITC-A", "CD235a+CD71", "FITC", 6.0, 22.0, 1.00, 520),
    Detector("PerCP-Cy5-5-A", "CD45", "PerCP-Cy5.5", 10.0, 25.0, 0.32, 610),
    Detector("BV421-A", "CD146", "BV421", 4.0, 20.0, 0.70, 480),
    Detector("BV711-A", "CD31", "BV711", 9.0, 28.0, 0.28, 590),
    Detector("PE-A", "CD271", "PE", 3.0, 18.0, 0.45, 500),
    Detector("PE-Cy7-A", "CD34", "PE-Cy7", 9.0, 30.0, 0.10, 640),
    Detector("APC-A", "CD105", "APC", 5.0, 24.0, 0.12, 560),
    Detector("APC-Cy7-A", VIABILITY, "FVS780", 14.0, 35.0, 0.08, 600),
)

ANTIBODIES = (
    Antibody("CD45", "PerCP-Cy5-5-A"),
    Antibody("CD235a", "FITC-A"),
    Antibody("CD71", "FITC-A"),
    Antibody("CD31", "BV711-A"),
    Antibody("CD34", "PE-Cy7-A"),
    Antibody("CD271", "PE-A"),
    Antibody("CD146", "BV421-A"),
    Antibody("CD105", "APC-A"),
)
ANTIGENS = tuple(antibody.antigen for antibody in ANTIBODIES)

# Per cent of a dye's own signal that each detector receives; rows and columns in the order of DETECTORS. Ordinary pairs
# lie below 5 %, neighbours and tandems between 5 and 15 %.
_SPILLOVER_PCT = (
    #  FITC  PerCP  BV421  BV711  PE    PECy7  APC   APCCy7
    (100.0, 1.6, 0.1, 0.1, 0.8, 0.0, 0.0, 0.0),  # FITC
    (0.1, 100.0, 0.1, 7.0, 0.2, 3.0, 1.5, 4.0),  # PerCP-Cy5.5
    (0.2, 0.1, 100.0, 0.8, 0.0, 0.0, 0.0, 0.0),  # BV421
    (0.1, 12.0, 2.5, 100.0, 0.3, 2.0, 2.0, 5.0),  # BV711
    (1.0, 9.0, 0.0, 0.8, 100.0, 2.5, 0.2, 0.1),  # PE
    (0.1, 1.5, 0.1, 0.6, 2.0, 100.0, 0.1, 3.5),  # PE-Cy7
    (0.0, 0.8, 0.0, 2.0, 0.1, 0.8, 100.0, 5.0),  # APC
    (0.0, 0.3, 0.1, 1.2, 0.0, 4.0, 3.0, 100.0),  # FVS780
)

# The second family's instrument: other filters, so other neighbours.
_SPILLOVER_B_PCT = (
    #  FITC  PerCP  BV421  BV711  PE    PECy7  APC   APCCy7
    (100.0, 3.0, 0.3, 0.2, 2.5, 0.1, 0.0, 0.0),  # FITC
    (0.0, 100.0, 0.0, 12.0, 0.1, 1.5, 3.0, 2.0),  # PerCP-Cy5.5
    (0.8, 0.2, 100.0, 1.8, 0.1, 0.1, 0.1, 0.0),  # BV421
    (0.2, 7.0, 4.0, 100.0, 0.1, 3.5, 0.8, 8.0),  # BV711
    (2.2, 5.0, 0.1, 0.4, 100.0, 4.5, 0.1, 0.3),  # PE
    (0.0, 3.0, 0.2, 1.5, 3.5, 100.0, 0.3, 6.0),  # PE-Cy7
    (0.1, 0.4, 0.1, 4.0, 0.0, 0.3, 100.0, 9.0),  # APC
    (0.1, 0.1, 0.0, 2.5, 0.1, 6.0, 1.5, 100.0),  # FVS780
)
_VOLTAGE_B_DECADES = (0.15, -0.20, 0.25, 0.10, -0.15, 0.20, 0.10, -0.20)


def channel_names() -> tuple[str, ...]:
    """Return ``$PnN`` of every column, in the order of the file."""
    return (*SCATTER, *(detector.pnn for detector in DETECTORS), "Time")


def channel_labels() -> tuple[str, ...]:
    """Return ``$PnS`` of every column; empty for scatter and time."""
    return (*("" for _ in SCATTER), *(detector.marker for detector in DETECTORS), "")


def spillover(family: str = "a") -> F64:
    """Return a family's spillover at equal gains, shape (8, 8): row = dye, column = detector, diagonal 1."""
    return np.array(_SPILLOVER_B_PCT if family == "b" else _SPILLOVER_PCT, dtype=np.float64) / 100.0


def voltage_decades(family: str = "a") -> F64:
    """Return the gain that a family's voltages give each detector against the usual ones, shape (8,), decades."""
    return np.array(_VOLTAGE_B_DECADES if family == "b" else (0.0,) * len(DETECTORS))


def detector_index(pnn: str) -> int:
    """Return the position of ``pnn`` in DETECTORS."""
    return [detector.pnn for detector in DETECTORS].index(pnn)


@dataclass(frozen=True, slots=True)
class Stain:
    """What went into a tube: one flag an antibody (in the order of ANTIBODIES), and the viability dye.

    ``binds`` is the place in ANTIGENS of what each antibody really binds.
    """

    antibodies: tuple[bool, ...]
    viability: bool
    binds: tuple[int, ...] = tuple(range(len(ANTIBODIES)))

    def mask(self) -> NDArray[np.bool_]:
        """Return the flags as an array, shape (n_antibodies,)."""
        return np.array(self.antibodies, dtype=np.bool_)


def stain_for(role: str) -> Stain:
    """Return the reagents of a tube by its role in the sample sheet.

    Parameters
    ----------
    role : str
        ``stained``, ``unstained``, ``fmo:MARKER`` (everything but that marker) or ``comp:CHANNEL`` (that dye alone).

    Raises
    ------
    SpecificationError
        No such role, or the panel does not have the marker or channel.
    """
    kind, _, what = role.partition(":")
    if role in {"stained", "unstained"}:
        full = role == "stained"
        return Stain((full,) * len(ANTIBODIES), full)
    pnn = {"fmo": _pnn_of_marker(what), "comp": _pnn_of_channel(what)}.get(kind)
    if pnn is None:
        options = [f"fmo:{d.marker}" for d in DETECTORS] + [f"comp:{d.pnn}" for d in DETECTORS]
        hint = did_you_mean(role, ["stained", "unstained", *options])
        raise SpecificationError("simulate.role", f"no tube of this panel has the role '{role}'", hint=hint)
    alone = kind == "comp"
    viability_pnn = next(detector.pnn for detector in DETECTORS if detector.marker == VIABILITY)
    return Stain(
        tuple((antibody.pnn == pnn) == alone for antibody in ANTIBODIES),
        (viability_pnn == pnn) == alone,
    )


def _pnn_of_marker(marker: str) -> str | None:
    return next((detector.pnn for detector in DETECTORS if detector.marker == marker), None)


def _pnn_of_channel(pnn: str) -> str | None:
    return pnn if pnn in {detector.pnn for detector in DETECTORS} else None
