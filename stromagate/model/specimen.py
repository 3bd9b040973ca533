"""What the sample sheet says of a tube in numbers: beads and volumes, and the blood counts beside a marrow.

The columns are declared once, so that a sheet is checked, a number computed and a finding worded from the same table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stromagate.errors import SpecificationError

MIN_BEADS = 1000
"""Fewer counted beads give no absolute count: 1,000 have a counting CV of 3 %. Own choice."""

MAX_BLOOD_SHARE = 0.5
"""From more blood than this in a marrow nothing is corrected: more than half of the number would be the correction's.
Own choice."""


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A column of the sample sheet that holds a number: its title, its unit, and from where to where it may lie."""

    name: str
    title: str
    unit: str
    low: float
    high: float
    above_low: bool = False

    def read(self, text: str) -> float:
        """Return the number; a decimal comma is one too.

        Raises
        ------
        ValueError
            It is none, or outside the range; the message says what is allowed.
        """
        try:
            value = float(text.replace(",", ".")) if text.count(",") <= 1 and "_" not in text else math.nan
        except ValueError:
            value = math.nan
        too_low = value <= self.low if self.above_low else value < self.low
        if math.isnan(value) or too_low or value > self.high:
            raise ValueError(self.allowed)
        return value

    @property
    def allowed(self) -> str:
        """What may stand there, in words."""
        first = f"above {self.low:g}" if self.above_low else f"from {self.low:g}"
        return f"a number {first} to {self.high:,g}{f' {self.unit}' if self.unit else ''}"


# Upper ends keep out numbers in another unit, such as red cells per uL; they lie far above anything measured.
NUMBER_COLUMNS: dict[str, NumberColumn] = {
    column.name: column
    for column in (
        NumberColumn("beads_added", "Counting beads added", "beads", 0, 1e9, above_low=True),
        NumberColumn("stained_ul", "Marrow stained", "µL", 0, 1e6, above_low=True),
        NumberColumn("stained_mg", "Core or tissue whose cells were stained", "mg", 0, 1e6, above_low=True),
        NumberColumn("dilution", "Dilution before staining", "fold", 1, 1e6),
        NumberColumn("bead_cv_pct", "CV of the number of beads", "%", 0, 50),
        NumberColumn("pipetting_cv_pct", "CV of pipetting", "%", 0, 50),
        NumberColumn("rbc_bm", "Red cells of the marrow", "10^12/L", 0, 15, above_low=True),
        NumberColumn("rbc_pb", "Red cells of the blood", "10^12/L", 0, 15, above_low=True),
        NumberColumn("wbc_pb", "White cells of the blood", "10^9/L", 0, 2000),
        NumberColumn("tnc_bm", "Nucleated cells of the marrow", "10^9/L", 0, 2000, above_low=True),
        NumberColumn("lymphocytes_bm_pct", "Lymphocytes in the marrow", "%", 0, 100),
        NumberColumn("lymphocytes_pb_pct", "Lymphocytes in the blood", "%", 0, 100),
        NumberColumn("lymphocytes_pure_pct", "Lymphocytes in pure marrow", "%", 0, 100),
        NumberColumn("restricted_bm_pct", "Cells that blood does not have, in the marrow", "%", 0, 100),
        NumberColumn(
            "restricted_pure_pct", "Cells that blood does not have, in pure marrow", "%", 0, 100, above_low=True
        ),
    )
}

WASHED = "washed"
REPLICATE = "replicate"
_ANSWERS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def column_faults(labels: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield column, what is wrong in it, and what is allowed, for every cell that cannot be read.

    Parameters
    ----------
    labels : mapping of str to str
        Cells of one tube by column; columns that are not of this table are left alone.
    """
    for name, column in NUMBER_COLUMNS.items():
        text = labels.get(name, "").strip()
        if text:
            try:
                column.read(text)
            except ValueError as wrong:
                yield name, f"'{text}' cannot stand in `{name}`", f"allowed: {wrong}"
    washed = labels.get(WASHED, "").strip()
    if washed and washed.casefold() not in _ANSWERS:
        yield WASHED, f"'{washed}' cannot stand in `{WASHED}`", "allowed: yes or no"


@dataclass(frozen=True, slots=True)
class Specimen:
    """The numbers of one tube by column, and whether it was washed after beads and stain were added (None: not said).

    Nothing here was measured by this program.
    """

    numbers: Mapping[str, float]
    washed: bool | None = None

    def get(self, column: str) -> float | None:
        """Return the number of a column; None where the sheet has none."""
        return self.numbers.get(column)

    def says_any(self, *columns: str) -> bool:
        """Whether the sheet has a number in one of these columns."""
        return any(column in self.numbers for column in columns)


def specimen(labels: Mapping[str, str]) -> Specimen:
    """Read what a sheet's row says in numbers.

    Parameters
    ----------
    labels : mapping of str to str
        Cells of one tube by column, as they travel to the results.

    Raises
    ------
    SpecificationError
        A cell cannot be read; a sheet's own are refused with their line before this.
    """
    for name, message, hint in column_faults(labels):
        raise SpecificationError("specimen.cell", message, where=name, hint=hint)
    stated = {name: labels[name].strip() for name in NUMBER_COLUMNS if labels.get(name, "").strip()}
    washed = labels.get(WASHED, "").strip().casefold()
    return Specimen({name: NUMBER_COLUMNS[name].read(text) for name, text in stated.items()}, _ANSWERS.get(washed))


BEAD_COLUMNS = ("beads_added", "stained_ul", "stained_mg", "dilution")


def beads_refused(known: Specimen, n_beads: int | None) -> tuple[str, str] | None:
    """Say why beads give no absolute count of this tube, and what to do; None where they do.

    Parameters
    ----------
    known : Specimen
        What the sheet says.
    n_beads : int or None
        Beads counted; None where they could not be gated.
    """
    if unclear := _amount_unclear(known):
        return unclear
    if known.washed:
        reason = "The tube was washed after the beads were added: cells and beads are lost unequally."
        return reason, "Take the numbers per million; for absolute counts lyse without washing."
    if known.washed is None:
        reason = (
            "The sample sheet does not say whether the tube was washed, and washing loses cells and beads unequally."
        )
        return reason, "Write `washed` (yes or no) into the sample sheet and run again."
    if n_beads is None:
        return "The beads could not be gated.", "Look at the gate of the beads."
    if n_beads < MIN_BEADS:
        reason = f"{n_beads:,} beads were counted, and fewer than {MIN_BEADS:,} give no absolute count."
        return reason, "Acquire longer, or add more beads; look whether their gate holds them all."
    return None


def _amount_unclear(known: Specimen) -> tuple[str, str] | None:
    """Say what the sheet lacks of beads and of what was stained, or says twice."""
    if known.get("stained_ul") is not None and known.get("stained_mg") is not None:
        reason = "The sample sheet gives `stained_ul` and `stained_mg`, and a tube holds the cells of one of them."
        return reason, "Keep the one that was measured, and run again."
    amount = "stained_mg" if known.get("stained_mg") is not None else "stained_ul"
    lacking = [name for name in ("beads_added", amount) if known.get(name) is None]
    if not lacking:
        return None
    named = " and ".join(f"`{name}`" for name in lacking)
    return f"The sample sheet says nothing of {named}.", "Write it into the sample sheet and run again."


@dataclass(frozen=True, slots=True)
class BloodShare:
    """How much of a marrow's nucleated cells came from blood, by one method.

    ``share`` is f_PB (0-1) as computed, and may lie outside; ``method`` says by what, ``limits`` in which range of
    marrow purity the method is known to hold.
    """

    share: float
    method: str
    columns: tuple[str, ...]
    purity: tuple[float, float] = (0.0, 1.0)


def blood_shares(known: Specimen) -> list[BloodShare]:
    """Return the share of blood by every method that the sheet has the numbers of, the erythrocyte method first.

    - Erythrocytes: ``(RBC_bm / RBC_pb) * (WBC_pb / TNC_bm)`` (Holdrinet and others, Acta Haematol 1985;74:70).
    - Lymphocytes: marrow is a mixture of blood and of pure marrow with ``lymphocytes_pure_pct``, which each lab knows
      of its own patients; such indices hold for marrow purity of 40 to 90 % (Aldawood and others 2015).
    - Populations that blood does not have: ``1 - observed / pure``, the lab's own reference again.
    """
    found = []
    red = [known.get(name) for name in _RED]
    if None not in red:
        rbc_bm, rbc_pb, wbc_pb, tnc_bm = (value for value in red if value is not None)
        found.append(BloodShare(rbc_bm / rbc_pb * wbc_pb / tnc_bm, "erythrocytes", _RED))
    lymph = [known.get(name) for name in _LYMPH]
    if None not in lymph:
        observed, blood, pure = (value for value in lymph if value is not None)
        if blood != pure:
            found.append(BloodShare((observed - pure) / (blood - pure), "lymphocytes", _LYMPH, (0.4, 0.9)))
    kept = [known.get(name) for name in _RESTRICTED]
    if None not in kept:
        observed, pure = (value for value in kept if value is not None)
        found.append(BloodShare(1 - observed / pure, "cells that blood does not have", _RESTRICTED))
    return found


_RED = ("rbc_bm", "rbc_pb", "wbc_pb", "tnc_bm")
_LYMPH = ("lymphocytes_bm_pct", "lymphocytes_pb_pct", "lymphocytes_pure_pct")
_RESTRICTED = ("restricted_bm_pct", "restricted_pure_pct")
BLOOD_COLUMNS = (*_RED, *_LYMPH, *_RESTRICTED)


def is_stained(labels: Mapping[str, str]) -> bool:
    """Whether a tube is a sample's own, and no control; one of which nothing is said is a sample's."""
    return labels.get("role", "").strip().casefold() in {"", "stained"}


PREPARATION = "preparation"
PREPARATION_KEYWORD = "STROMAGATE_PREPARATION"
"""Keyword in which a file says how its tube was prepared."""
_NOT_ENRICHED = {"", "whole", "whole marrow", "aspirate", "lysed", "none"}


def enrichment(keywords: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """Return how a tube was enriched, by the file or else the sheet; empty for whole marrow and where none says.

    Parameters
    ----------
    keywords : mapping of str to str
        Of the file.
    labels : mapping of str to str
        Columns of the sheet.
    """
    stated = (keywords.get(PREPARATION_KEYWORD) or labels.get(PREPARATION, "")).strip()
    return "" if stated.casefold() in _NOT_ENRICHED else stated.replace("_", " ")


_BLOOD = {"blood", "pb", "peripheral blood", "peripheral_blood"}


def is_blood(labels: Mapping[str, str]) -> bool:
    """Whether the sheet calls a tube one of blood."""
    return labels.get("specimen", "").strip().casefold() in _BLOOD


_SAME_SPECIMEN = (
    "patient_id",
    "specimen",
    "timepoint",
    "visit",
    "day",
    "pull",
    "site",
    "preparation",
    "panel",
    "batch",
    "lot",
    "scenario",
)
"""Columns in which replicates agree: another specimen, stain or day is no replicate, whatever its number says."""


def replicate_group(labels: Mapping[str, str]) -> dict[str, str] | None:
    """Return what a tube shares with its replicates by column; None for a tube that is none.

    A replicate is a stained tube with a patient and a number of its own in the column ``replicate``. Nothing else makes
    one: tubes of one patient in one batch may as well be of two days or two pulls, and only who stained them knows.
    """
    role = labels.get("role", "").strip().casefold()
    if not labels.get(REPLICATE, "").strip() or not labels.get("patient_id", "").strip() or role not in {"", "stained"}:
        return None
    return {name: labels[name].strip() for name in _SAME_SPECIMEN if labels.get(name, "").strip()}
