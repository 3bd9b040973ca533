"""How much to acquire: from an expected frequency and a target to events, millilitres of marrow and minutes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stromagate.errors import UsageError
from stromagate.model.detection import LLOQ_FLOOR_EVENTS, LOD_FLOOR_EVENTS

PULSE_S = 10e-6
"""Time that one cell takes to pass the laser with its dead time, s. Own choice: it differs between instruments."""

ERYTHROBLASTS = 0.32
"""Their share of the nucleated cells of marrow, as a median: 236 healthy donors (doi:10.1007/s00277-020-04255-4)."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What is lost on the way from the needle to a counted cell, each as the share that is kept (0-1, above 0).

    ``nucleated`` of the recorded events are nucleated cells (the others debris, red cells, platelets), ``singlets`` of
    these single, ``viable`` of these alive; ``prepared`` of the marrow's nucleated cells reach the cytometer through
    lysis, staining and washing. ``per_ml`` are nucleated cells per mL of marrow. The defaults are our own choice, and
    stand beside every plan.
    """

    nucleated: float = 0.8
    singlets: float = 0.9
    viable: float = 0.85
    prepared: float = 0.5
    per_ml: float = 20e6

    @property
    def kept(self) -> float:
        """Share of the recorded events, but for coincidence, that are single viable nucleated cells."""
        return self.nucleated * self.singlets * self.viable


@dataclass(frozen=True, slots=True)
class Plan:
    """What one target takes.

    ``expected_events`` and ``assured_events`` are viable nucleated single events, in which the target is reached on
    average and with the assurance asked for. What follows is for the assured ones: events to record, minutes at the
    rate, mL of marrow.
    """

    target: int
    cv_pct: float
    expected_events: float
    assured_events: float
    recorded_events: float
    minutes: float
    marrow_ml: float


def plan(
    per_million: float,
    target: int,
    *,
    assurance: float = 0.95,
    losses: Losses | None = None,
    rate_per_s: float = 5000.0,
) -> Plan:
    """Plan one acquisition.

    Parameters
    ----------
    per_million : float
        Expected cells per million viable nucleated cells, above 0 to a million.
    target : int
        Cells to count, at least 1.
    assurance : float
        Probability of reaching the target where the frequency is as expected, between 0 and 1.
    losses : Losses, optional
        Shares kept on the way.
    rate_per_s : float
        Recorded events per second, above 0.

    Returns
    -------
    Plan
        Events not rounded.

    Raises
    ------
    UsageError
        A number outside its range; the message says which.
    """
    losses = losses or Losses()
    _check_all(per_million, target, assurance, losses, rate_per_s)
    expected = target / per_million * 1e6
    assured = assured_mean(target, assurance) / per_million * 1e6
    recorded = assured / (losses.kept * (1 - coincidence(rate_per_s)))
    # Cells that coincide are lost from the sample as well: what is recorded as one doublet had left the marrow as two.
    marrow = assured / (losses.singlets * losses.viable * (1 - coincidence(rate_per_s)) * losses.prepared)
    return Plan(
        target=target,
        cv_pct=100 / math.sqrt(target),
        expected_events=expected,
        assured_events=assured,
        recorded_events=recorded,
        minutes=recorded / rate_per_s / 60,
        marrow_ml=marrow / losses.per_ml,
    )


def assured_mean(target: int, assurance: float) -> float:
    """Return the mean of a Poisson count that reaches ``target`` with probability ``assurance``."""
    from scipy.special import gammaincinv

    return float(gammaincinv(target, assurance))


def without_erythroblasts(per_million: float, erythroblasts: float = ERYTHROBLASTS) -> float:
    """Return a rate per million nucleated cells as one per million of those that are no erythroblasts.

    Parameters
    ----------
    per_million : float
        Cells per million nucleated cells; they are no erythroblasts themselves.
    erythroblasts : float
        Share of the nucleated cells that erythroblasts are, from 0 to below 1.
    """
    return min(per_million / (1 - erythroblasts), 1e6)


def coincidence(rate_per_s: float, pulse_s: float = PULSE_S) -> float:
    """Return the share of events (0-1) during whose pulse another one begins, at a steady rate of independent cells."""
    return -math.expm1(-rate_per_s * pulse_s)


def target_of_cv(cv_pct: float) -> int:
    """Return the fewest cells whose counting CV is not above ``cv_pct``.

    Raises
    ------
    UsageError
        A CV that no count has: not above 0, or above 100 %.
    """
    _check("--cv", cv_pct, 0, 100, "%")
    # A hair is left off, so that 10 % asks for 100 cells where the quotient comes out a rounding error above.
    return max(1, math.ceil((100 / cv_pct) ** 2 * (1 - 1e-12)))


DEFAULT_TARGETS = {LOD_FLOOR_EVENTS: "detect", LLOQ_FLOOR_EVENTS: "quantify", 100: "CV 10 %"}
"""Targets of a plan that names none."""


def _check_all(per_million: float, target: int, assurance: float, losses: Losses, rate_per_s: float) -> None:
    _check("--ppm", per_million, 0, 1e6, "per million")
    _check("--target", target, 0, 1e9, "cells")
    _check("--rate", rate_per_s, 0, 200_000, "events per second")
    _check("--cells-per-ml", losses.per_ml / 1e6, 0, 1e4, "million per mL")
    for name in ("nucleated", "singlets", "viable", "prepared"):
        _check(f"--{name}", 100 * getattr(losses, name), 0, 100, "%")
    if not 0 < assurance < 1:
        raise UsageError(
            "plan.assurance",
            f"the assurance is {100 * assurance:g} %",
            hint="give a number between 0 and 100, such as 95",
        )


def _check(option: str, value: float, above: float, most: float, unit: str) -> None:
    if not above < value <= most:
        hint = f"{option} takes a number above {above:g} to {most:,.0f} {unit}"
        raise UsageError("plan.number", f"{option} {value:g} cannot be planned with", hint=hint)
