"""The stromal pattern of one tube: what is called, how sure that is, and why nothing more is said.

``P`` are the CD146+ progenitors, ``Q`` the MSC that are none (MSC - P): the publications call progenitors a part of
MSC, so that two overlapping numbers would count the same cells twice. Both are rates net of background.
"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from stromagate.model.template import Document, Name

Level = Literal["L0", "L1", "L2", "L3", "L4"]
"""What a call is calibrated by: nothing, own controls, the cohort, outcomes, outcomes and a second cohort."""

Assigned = Literal["mesenchymal-low", "progenitor-high", "MSC-high", "both-high"]
PATTERNS: tuple[Assigned, ...] = get_args(Assigned)
BETWEEN = "between"
"""Neither high nor low in both: where a calibration has a range, what lies within it. It is no pattern."""

INDETERMINATE = "indeterminate"
METHOD_DEPENDENT = "indeterminate (method-dependent)"
NOT_ASSESSABLE = "not assessable"
NOT_ASSIGNED = "not assigned"

Index = Literal["P", "Q"]
INDICES: tuple[Index, ...] = get_args(Index)

Cell = Literal["denominator", "hemodilution", "gate"]


class CalibrationRef(Document):
    """Which calibration a call was made by."""

    name: str
    level: Level
    sha256: str
    n: int = Field(description="Tubes that it was made of.")
    note: str = Field("", description="What who made it says its readers must know.")


class IndexValue(Document):
    """One index under one denominator: net of background, per million, with its interval.

    ``index`` is ``P``, ``Q``, or ``P/MSC`` (a share, without denominator). ``percentile`` is the share (0-1) of the
    calibration's tubes that lie below it, and ``position`` is where it lies beside the calibration's cut-points; None
    and empty without a calibration, and where this has too few tubes.
    """

    index: Literal["P", "Q", "P/MSC"]
    denominator: str = ""
    value: float | None
    unit: str
    ci_low: float | None = None
    ci_high: float | None = None
    cut_low: float | None = None
    cut_high: float | None = None
    percentile: float | None = None
    position: Literal["", "below", "within", "above"] = ""


class RobustnessCell(Document):
    """What would be called by another way of reckoning: the most probable pattern, how probable, and whether it counts.

    ``decides`` says whether a difference here makes the call method-dependent: not where this way cannot tell, and not
    under a denominator that the calibration does not decide by. ``pattern`` is empty where nothing can be reckoned;
    ``reason`` then says why.
    """

    kind: Cell
    name: str = Field(description="In words: per million what, or which gate is moved where.")
    denominator: str
    pattern: str = ""
    probability: float | None = None
    decides: bool = True
    differs: bool = False
    reason: str = ""


class Acquire(Document):
    """What it would take to assess a tube: events of the denominator."""

    denominator: str
    n_events: int
    n_now: int
    sentence: str


class PatternCall(Document):
    """The stromal pattern, or why none was assigned.

    ``probabilities`` are those of the four patterns, and of ``between`` where the calibration has a range, by Monte
    Carlo over counts, background, boundaries and cut-points; empty where nothing was reckoned. ``reason`` is the first
    of ``reasons``, each one sentence without its full stop.
    """

    level: Level = "L0"
    pattern: str = NOT_ASSIGNED
    reason: str = "no calibration: the publications give directions and no cut-off"
    reasons: tuple[str, ...] = ()
    probability: float | None = None
    probabilities: dict[str, float] = Field(default_factory=dict)
    calibration: CalibrationRef | None = None
    denominator: str = ""
    background: str = Field("", description="Role of the controls whose background was taken off; empty for none.")
    indices: tuple[IndexValue, ...] = ()
    robustness: tuple[RobustnessCell, ...] = ()
    acquire: Acquire | None = None
    draws: int = 0
    seed: int = 0
    sentence: str = Field("", description="The call in one sentence, as it may be quoted.")


class MovedGate(Document):
    """Counts with one boundary elsewhere: by a part of the way from its negatives to its positives.

    ``shift_frac`` is that part, positive towards the positives; ``distance`` the whole way in display units.
    """

    gate: Name
    axis: str
    shift_frac: float
    distance: float
    counts: dict[str, int] = Field(description="Events by population: indices and denominators.")
