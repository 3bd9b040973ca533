"""What a lab keeps of its runs (``stromagate.history/1``), and the charts made of it (``stromagate.charts/1``)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stromagate.model.result import RESEARCH_USE
from stromagate.model.template import Document

HISTORY_FORMAT: Literal["stromagate.history/1"] = "stromagate.history/1"
CHARTS_FORMAT: Literal["stromagate.charts/1"] = "stromagate.charts/1"

SeriesKind = Literal["boundary", "reference", "viability", "events", "rate"]
SeriesUnit = Literal["decades", "scale value", "part of the way", "%", "log10 events", "log10 per million"]
Rule = Literal["1-3s", "2-2s", "10x"]


class KeptBoundary(Document):
    """One edge of one gate in one tube.

    ``display`` is in the tube's own display units and ``raw`` in scale values; ``way`` is the part of the way between
    the medians of two reference populations, where the template names them.
    """

    population: str
    axis: str
    side: Literal["from", "below"]
    display: float
    raw: float
    linear: bool
    way: float | None = None


class KeptMedian(Document):
    """The median of a marker (scale values) in a reference population of one tube."""

    population: str
    axis: str
    value: float
    n: int


class KeptTube(Document):
    """What is kept of one stained tube: no event, no date, no patient."""

    sample_id: str
    sha256: str = Field(description="Content of the file: one tube counts once, however often it is run.")
    batch: str = Field("", description="Of the sample sheet; empty: the run is the batch.")
    instrument: str = Field(description="$CYT, and a digest of its serial number in place of the number.")
    panel: str = Field(description="Digest of which marker stands on which detector.")
    boundaries: tuple[KeptBoundary, ...] = ()
    medians: tuple[KeptMedian, ...] = ()
    viability_pct: float | None = None
    n_events: int
    rates: dict[str, float] = Field(default_factory=dict, description="Index populations per million.")
    denominator: str = Field("", description="What the rates are per million of.")


class KeptRun(Document):
    """One line of a history: one run with one template. ``run`` is a digest of all else but the time."""

    format: Literal["stromagate.history/1"] = HISTORY_FORMAT
    run: str
    recorded: str = Field(description="When it was written (UTC).")
    stromagate: str
    template: str
    template_version: str
    template_sha256: str
    tubes: tuple[KeptTube, ...]


class ChartPoint(Document):
    """One batch on one chart: the median over its tubes (None: no tube had the value)."""

    batch: str
    value: float | None
    n_tubes: int = 0
    baseline: bool = False
    rules: tuple[Rule, ...] = Field((), description="Westgard rules that are broken here.")


class Series(Document):
    """One quantity over all batches, with the robust mean and standard deviation of the baseline.

    ``unit`` is that of the values: decades (``asinh(raw / 150) / ln 10``), scale values, %, or log10 of events.
    Without ``mean`` no limits are drawn, and ``why`` says why.
    """

    kind: SeriesKind
    name: str
    axis: str = Field(description="What it is measured on; series of one axis go wrong together.")
    unit: SeriesUnit
    judged: bool
    points: tuple[ChartPoint, ...]
    mean: float | None = None
    sd: float | None = None
    n_baseline: int = 0
    why: str = ""


class ControlChart(Document):
    """All series of one instrument and panel. ``now`` are the places of this run's batches among the points."""

    instrument: str
    panel: str
    batches: tuple[str, ...]
    now: tuple[int, ...]
    n_baseline: int = Field(description="Batches that the limits are made of, or would be.")
    judged_from: int = Field(description="Place of the first batch after the baseline.")
    declared: bool = Field(False, description="Whether the lab named the batches of the baseline.")
    ready: bool = Field(description="Whether the baseline is whole and a batch of this run comes after it.")
    why: str = Field("", description="Why nothing is judged, where it is not ready.")
    series: tuple[Series, ...]


class ChartBook(Document):
    """The charts of a run (``history.json``)."""

    format: Literal["stromagate.charts/1"] = CHARTS_FORMAT
    research_use: str = RESEARCH_USE
    stromagate: str
    template: str
    template_version: str
    template_sha256: str
    charts: tuple[ControlChart, ...]
