"""One donor's marrow: the shares of its cells, how its antigens differ from the median, what a preparation leaves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from stromagate.errors import SpecificationError, did_you_mean
from stromagate.model.sample import F64
from stromagate.simulate.antigens import AntigenTables, antigen_tables
from stromagate.simulate.panel import ANTIGENS, STROMA_CORE_8, Panel
from stromagate.simulate.part_cells import PARTS
from stromagate.simulate.populations import ALL_NAMES, ALL_POPULATIONS, MSC, code_of
from stromagate.simulate.residuals import SCORES
from stromagate.simulate.scenario import CD146_PER_DAY_DECADES, Scenario
from stromagate.simulate.seeds import stream

DONOR_SD_DECADES = 0.10
"""Spread of an antigen between donors: 0.08 to 0.15 decade."""
_SHARE_SD = 0.12
"""Relative spread (log) of a common population between donors of one scenario."""


@dataclass(frozen=True, slots=True)
class Bead:
    """Magnetic depletion of one antigen.

    A cell with ``half_log10`` units of it stays behind with probability one half, steeper with ``hill``; ``leak_frac``
    of the brightest cells pass all the same.
    """

    antigen: str
    half_log10: float
    hill: float
    leak_frac: float

    def recovery(self, log10: F64) -> F64:
        """Return the probability that a cell of that signal is recovered."""
        caught = 1.0 / (1.0 + np.exp(-self.hill * math.log(10.0) * (log10 - self.half_log10)))
        return np.asarray(1.0 - (1.0 - self.leak_frac) * caught, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Preparation:
    """What happened to the marrow before it was stained; ``debris_kept_frac`` of the debris survives its washes."""

    name: str
    title: str
    beads: tuple[Bead, ...] = ()
    debris_kept_frac: float = 1.0


# Two decades of depletion with about one cell in a hundred left are what columns reach on bright antigens; dim ones
# (blasts, plasma cells) deplete worse, and MSC with sticky CD45 are partly lost. The curve is the product's own choice.
PREPARATIONS = (
    Preparation("whole", "whole marrow, red cells lysed"),
    Preparation(
        "cd45_depleted",
        "red cells lysed, then magnetic depletion of CD45+ and CD235a+ cells",
        (Bead("CD45", 2.6, 2.0, 0.008), Bead("CD235a", 2.8, 2.0, 0.012)),
        # Beads, filter and three slow spins; without them debris would be nine events in ten of what is left.
        debris_kept_frac=0.04,
    ),
)


@dataclass(frozen=True, slots=True)
class Marrow:
    """What is in the tubes of one donor: shares of particles (summing to 1) and the distribution of their antigens.

    ``msc_bound_frac`` is the share of MSC still bound to a blood cell, ``msc_ppm`` what the donor's whole marrow holds
    per million nucleated cells.
    """

    shares: F64
    antigens: AntigenTables
    msc_bound_frac: float
    msc_ppm: float


def preparation(name: str) -> Preparation:
    """Return a preparation by name; SpecificationError with the nearest name where there is none."""
    for candidate in PREPARATIONS:
        if candidate.name == name:
            return candidate
    hint = did_you_mean(name, [candidate.name for candidate in PREPARATIONS])
    raise SpecificationError("simulate.preparation", f"there is no preparation '{name}'", hint=hint)


def draw_marrow(
    scenario: Scenario,
    prepared: Preparation,
    *,
    seed: int,
    donor: str,
    batch: str,
    family: str = "a",
    panel: Panel = STROMA_CORE_8,
) -> Marrow:
    """Draw a donor of a scenario; the same for every tube of that donor and batch.

    Parameters
    ----------
    donor, batch : str
        Names that, with ``seed``, decide the donor's deviations and the antibody lots.
    family : str
        Of the residuals, see `residuals.FAMILIES`.
    panel : Panel
        Decides which antigens are drawn, and which kinds of cells stand for themselves; a donor is otherwise the same
        in every panel.
    """
    rng = stream(seed, "donor", donor)
    lots = stream(seed, "lots", batch)
    shifts = {
        antigen: float(
            scenario.shifts_decades.get(antigen, 0.0)
            + (CD146_PER_DAY_DECADES * scenario.hours_to_stain / 24.0 if antigen == "CD146" else 0.0)
            + DONOR_SD_DECADES * rng.standard_normal()
            + scenario.lab.lot_sd_decades * lots.standard_normal()
        )
        for antigen in ANTIGENS
    }
    for antigen in panel.antigens[len(ANTIGENS) :]:
        own, lot = (stream(seed, name, of, antigen) for name, of in (("donor", donor), ("lots", batch)))
        shifts[antigen] = scenario.shifts_decades.get(antigen, 0.0)
        shifts[antigen] += (
            DONOR_SD_DECADES * own.standard_normal() + scenario.lab.lot_sd_decades * lot.standard_normal()
        )
    msc_ppm = float(scenario.msc_ppm * scenario.msc_ppm_gsd ** rng.standard_normal())
    whole = _with_blood(_shares(scenario, msc_ppm, rng), scenario)
    for part in (each for each in PARTS if each.name in panel.parts):
        frac = part.frac * part.gsd ** float(stream(seed, "part", donor, part.name).standard_normal())
        moved = min(frac, 0.9) * whole[code_of(part.of)]
        whole[[code_of(part.of), code_of(part.name)]] += np.array([-moved, moved])
    plain = antigen_tables(
        shifts, scenario.cd146_share_frac, signals=scenario.signals, family=family, antigens=panel.antigens
    )
    antigens, kept = _deplete(plain, prepared)
    # A complex with a blood cell goes where the blood cell goes.
    partner_kept = float((whole * kept)[_LEUKOCYTES].sum() / whole[_LEUKOCYTES].sum())
    free = 1.0 - scenario.msc_bound_frac
    bound = scenario.msc_bound_frac * partner_kept
    shares = whole * kept
    shares[code_of("debris")] *= prepared.debris_kept_frac
    shares[[code_of(name) for name in MSC]] *= free + bound
    return Marrow(shares / shares.sum(), antigens, bound / (free + bound), msc_ppm * (1.0 - scenario.blood_frac))


_STROMA = ("endothelium", "cd146_only", "osteolineage")
_LEUKOCYTES = np.array(
    [population.nucleated and population.name not in {*MSC, *_STROMA} for population in ALL_POPULATIONS]
)

_NUCLEATED = np.array([population.nucleated for population in ALL_POPULATIONS])


def _shares(scenario: Scenario, msc_ppm: float, rng: np.random.Generator) -> F64:
    """Shares relative to nucleated cells, all particles together; they need not sum to 1."""
    shares = np.zeros(len(ALL_POPULATIONS))
    for name, share in scenario.marrow.items():
        shares[code_of(name)] = share * math.exp(_SHARE_SD * rng.standard_normal())
    rare: Mapping[str, float] = {
        "msc_cd146neg": msc_ppm,
        "endothelium": scenario.endothelium_ppm,
        "cd146_only": scenario.cd146_only_ppm,
        "osteolineage": scenario.osteolineage_ppm,
    }
    shares *= (1.0 - sum(rare.values()) / 1e6) / shares.sum()
    for name, ppm in rare.items():
        shares[code_of(name)] = ppm / 1e6
    shares[code_of("debris")] = scenario.debris_per_nucleated
    shares[code_of("erythrocyte")] = scenario.erythrocytes_per_nucleated
    return shares


def _with_blood(shares: F64, scenario: Scenario) -> F64:
    """Let a part of the nucleated cells be those of blood; debris and red cells stay as they are."""
    if scenario.blood_frac == 0.0:
        return shares
    blood = np.zeros(len(ALL_POPULATIONS))
    for name, share in scenario.blood.items():
        blood[code_of(name)] = share
    mixed = (1.0 - scenario.blood_frac) * shares + scenario.blood_frac * blood / blood.sum()
    return np.where(_NUCLEATED, mixed, shares)


def _deplete(tables: AntigenTables, prepared: Preparation) -> tuple[AntigenTables, F64]:
    """Return the tables of the cells that are left, and the recovered share of every population."""
    kept = np.ones(len(ALL_NAMES))
    tail_frac = tables.tail_frac.copy()
    tilt: dict[int, F64] = {}
    for bead in prepared.beads:
        column = ANTIGENS.index(bead.antigen)
        left = np.empty((len(ALL_NAMES), 2))
        tilt[column] = np.empty((len(ALL_NAMES), 2, SCORES.size))
        for row in range(len(ALL_NAMES)):
            for part, centre in enumerate((tables.log10[row, column], tables.tail_log10[row, column])):
                log10 = centre + tables.deviation(row, column)
                tilt[column][row, part], left[row, part] = _tilt(bead.recovery(log10))
        fraction = tables.tail_frac[:, column]
        overall = (1.0 - fraction) * left[:, 0] + fraction * left[:, 1]
        tail_frac[:, column] = fraction * left[:, 1] / overall
        kept *= overall
    return replace(tables, tail_frac=tail_frac, tilt=tilt), kept


def _tilt(recovery: F64) -> tuple[F64, float]:
    """Map a normal score to the score of the same rank among recovered cells; and the share recovered.

    ``recovery`` is given on SCORES. The map keeps ranks, so that what goes with the score goes with it still.
    """
    density = np.exp(-0.5 * SCORES**2)
    plain = np.cumsum(density)
    thinned = np.cumsum(density * recovery)
    ranks = (plain - 0.5 * density) / plain[-1]
    left = (thinned - 0.5 * density * recovery) / thinned[-1]
    # Ranks are compared as logits: the far ends keep their resolution.
    logit_left, logit_plain = np.log(left) - np.log1p(-left), np.log(ranks) - np.log1p(-ranks)
    return np.interp(logit_plain, logit_left, SCORES), float(thinned[-1] / plain[-1])
