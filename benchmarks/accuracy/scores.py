"""What is kept of one tube gated by one method: what was true, what was called, what was printed and warned of."""

from __future__ import annotations

from dataclasses import dataclass

TOOL, BARE, FIXED, FMO = "stromagate", "bare", "fixed", "FMO 99.5"
METHODS = (TOOL, BARE, FIXED, FMO)
"""Every tube is gated by each of them."""
LOCKED = "locked"
"""The tool with gates locked over earlier batches; it gates the tubes of the shift alone."""


@dataclass(frozen=True, slots=True)
class Score:
    """One tube by one method. Rates are per million viable CD235a- cells; None where the method gave no number.

    ``expected_ppm`` is the rate that the tube was drawn from, which an interval should cover; ``true_ppm`` what was
    drawn, ``true_nucleated_ppm`` the same per million of all nucleated cells, erythroblasts among them.
    ``counting_low`` to ``counting_high`` is the interval that counting alone leaves open. ``leak`` is how many cells
    without CD271 lie beyond the method's CD271 cut for each that it promises; None where it promises none.
    ``by_locks`` says of locked gates whether earlier batches really set the cut; None of other methods.
    ``progenitors_by_anchor`` is how many of the called MSC a plain FMO percentile would call CD146+.
    ``shifted`` is the marker whose detector alone was turned up. ``codes`` are the warnings and failures that speak of
    MSC, ``failures`` those that failed, whatever they speak of.
    """

    purpose: str
    scenario: str
    clean: bool
    prepared: str
    seed: int
    shift_decades: float
    family: str
    method: str
    true_msc: int
    called_msc: int | None
    right_msc: int
    true_progenitors: int
    called_progenitors: int | None
    true_ppm: float
    expected_ppm: float
    ppm: float | None
    ci_low: float | None
    ci_high: float | None
    codes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    error: str = ""
    shifted: str = ""
    true_nucleated_ppm: float = float("nan")
    counting_low: float | None = None
    counting_high: float | None = None
    leak: float | None = None
    progenitors_by_anchor: int | None = None
    by_locks: bool | None = None
