"""What a panel is, and the usual one: ``stroma_core_8`` on a four-laser analyser, its spillover and noise, as data.

CD271 and CD146 sit on the two brightest dyes, away from the spill of CD45 and of the viability dye; both red-cell
antibodies share one detector, the dump. Shares and noise are ordinary values for such an instrument, no particular one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

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


Shares = Mapping[str, Mapping[str, float]]
"""Dye to detector (``$PnN`` both) to per cent of the dye's signal; pairs that are not there are dark."""


@dataclass(frozen=True, slots=True)
class Panel:
    """The colours of a tube: detectors with the marker each is read for, and the antibodies behind them.

    ``spillover_pct`` and ``spillover_b_pct`` are those of the two families of instruments, ``voltage_b_decades`` the
    gain by ``$PnN`` that the second one's voltages give. ``parts`` names the kinds of cells (`part_cells`) that this
    panel can tell from the rest of their kind and that the truth therefore counts on their own.
    """

    name: str
    title: str
    detectors: tuple[Detector, ...]
    antibodies: tuple[Antibody, ...]
    spillover_pct: Shares = field(repr=False)
    spillover_b_pct: Shares = field(repr=False)
    voltage_b_decades: Mapping[str, float] = field(repr=False)
    parts: tuple[str, ...] = ()

    @property
    def antigens(self) -> tuple[str, ...]:
        """Antigens that are drawn for every cell: always those of the usual panel, then what this one adds.

        Depletion and the two kinds of MSC go by antigens of the usual panel, whether a tube is stained for them or not.
        """
        own = (antibody.antigen for antibody in self.antibodies)
        return tuple(dict.fromkeys((*ANTIGENS, *own)))

    @property
    def markers(self) -> tuple[str, ...]:
        """What each detector is read for, in their order."""
        return tuple(detector.marker for detector in self.detectors)

    def channel_names(self) -> tuple[str, ...]:
        """Return ``$PnN`` of every column, in the order of the file."""
        return (*SCATTER, *(detector.pnn for detector in self.detectors), "Time")

    def channel_labels(self) -> tuple[str, ...]:
        """Return ``$PnS`` of every column; empty for scatter and time."""
        return (*("" for _ in SCATTER), *self.markers, "")

    def spillover(self, family: str = "a") -> F64:
        """Return a family's spillover at equal gains, shape (n_detectors, n_detectors): row = dye, diagonal 1."""
        shares = self.spillover_b_pct if family == "b" else self.spillover_pct
        names = [detector.pnn for detector in self.detectors]
        table = [
            [100.0 if dye == detector else shares.get(dye, {}).get(detector, 0.0) for detector in names]
            for dye in names
        ]
        return np.array(table, dtype=np.float64) / 100.0

    def voltage_decades(self, family: str = "a") -> F64:
        """Return the gain that a family's voltages give each detector, shape (n_detectors,), decades."""
        given = self.voltage_b_decades if family == "b" else {}
        return np.array([given.get(detector.pnn, 0.0) for detector in self.detectors])

    def detector_index(self, pnn: str) -> int:
        """Return the position of ``pnn`` among the detectors."""
        return [detector.pnn for detector in self.detectors].index(pnn)


def _by_name(table: tuple[tuple[float, ...], ...]) -> Shares:
    names = [detector.pnn for detector in DETECTORS]
    return {dye: dict(zip(names, row, strict=True)) for dye, row in zip(names, table, strict=True)}


STROMA_CORE_8 = Panel(
    "stroma_core_8",
    "Native stroma: CD271 and CD146 with the dump, CD45, CD31, CD34, CD105 and a viability dye",
    DETECTORS,
    ANTIBODIES,
    _by_name(_SPILLOVER_PCT),
    _by_name(_SPILLOVER_B_PCT),
    {detector.pnn: decades for detector, decades in zip(DETECTORS, _VOLTAGE_B_DECADES, strict=True)},
)
"""Panel A of the usual tubes."""


def channel_names() -> tuple[str, ...]:
    """Return ``$PnN`` of every column of the usual panel, in the order of the file."""
    return STROMA_CORE_8.channel_names()


def channel_labels() -> tuple[str, ...]:
    """Return ``$PnS`` of every column of the usual panel; empty for scatter and time."""
    return STROMA_CORE_8.channel_labels()


def spillover(family: str = "a") -> F64:
    """Return a family's spillover of the usual panel, shape (8, 8): row = dye, column = detector, diagonal 1."""
    return STROMA_CORE_8.spillover(family)


def detector_index(pnn: str) -> int:
    """Return the position of ``pnn`` in DETECTORS."""
    return STROMA_CORE_8.detector_index(pnn)
