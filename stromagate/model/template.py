"""The gating template as a typed document (``stromagate.template/1``).

Only the shape is held here. Which methods exist and what their parameters mean is known to ``gating``;
``templates.load`` is handed the methods' own parameter models, so that all errors of a document come at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stromagate.model.sample import GainConvention
from stromagate.model.scales import Scale

TEMPLATE_FORMAT = "stromagate.template/1"

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
AxisName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Document(BaseModel):
    """A value read from or written to disk: unknown fields are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class GateParams(Document):
    """Base of every gating method's own parameters.

    What a gate looks at is asked here, so that a template can be checked without fitting anything. ``attached`` are
    fields that name a file beside the template, each with the field that takes what is in it.
    """

    attached: ClassVar[Mapping[str, str]] = {}

    def axes_used(self) -> tuple[str, ...]:
        """Axes the gate needs, from the fields ``axis`` and ``axes``."""
        single = getattr(self, "axis", None)
        return (single,) if single else tuple(getattr(self, "axes", ()))

    def populations_used(self) -> tuple[str, ...]:
        """Return the populations, besides the parent, that must stand above this one."""
        return ()

    def populations_named(self) -> tuple[str, ...]:
        """Return the populations of the template that the gate speaks of, wherever they stand."""
        return ()

    def controls_used(self) -> tuple[ControlNeed, ...]:
        """Return what the gate wants to know of control tubes."""
        return ()

    def made_for(self) -> MadeFor | None:
        """Return what the template must be like for a boundary that was made elsewhere."""
        return None


@dataclass(frozen=True, slots=True)
class MadeFor:
    """Where a boundary from elsewhere means what it meant: its parent, the scales of its axes, the gain convention."""

    parent: str
    scales: Mapping[str, Scale]
    gain: GainConvention


@dataclass(frozen=True, slots=True)
class ControlNeed:
    """Values of one axis in one population that a gate reads from control tubes.

    ``role`` is the controls' role in the sample sheet (``fmo:CD146``, ``unstained``, ``blank``).
    """

    role: str
    population: str
    axis: str


class SourceNote(Document):
    """Where a definition or a number comes from."""

    doi: str | None = Field(None, description="DOI of the publication.")
    url: str | None = Field(None, description="Address, where there is no DOI.")
    note: str = Field("", description="What was taken from it.")


class PanelSpec(Document):
    """Markers a tube must carry, and those used where present. Scatter and time are found by themselves."""

    required: tuple[AxisName, ...] = Field(description="Markers without which the template does not run.")
    optional: tuple[AxisName, ...] = Field((), description="Markers used where the tube carries them.")


class ScaleSpec(Document):
    """How an axis is displayed; ``from_range`` and ``from_data`` are resolved on each tube."""

    transform: Literal["logicle", "asinh", "linear"] = Field("logicle", description="Kind of display scale.")
    top: Literal["from_range"] | float = Field("from_range", description="T: value shown at 1.0.")
    decades: float = Field(4.5, gt=0, le=10, description="M: decades shown.")
    width: Literal["from_data"] | float = Field("from_data", description="W: decades of the linear region (logicle).")
    negative_decades: float = Field(0.0, ge=0, le=5, description="A: extra negative decades.")


class GateSpec(BaseModel):
    """A method by name, that method's own parameters, and what to do where it cannot place its boundary."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    method: Name = Field(description="Gating method; `stromagate templates explain` lists what each does.")
    otherwise: Name | GateSpec | None = Field(
        None,
        description=(
            "Gate to take where this one cannot be placed: a method's name, or a whole gate, which may have an "
            "`otherwise` of its own. It takes over `axis`, `axes` and `keep` where it does not say them; its use is "
            "a finding."
        ),
    )

    @property
    def params(self) -> dict[str, Any]:
        """Everything but the method's name and its fallback, to be checked by the method's own model."""
        return dict(self.model_extra or {})

    def chain(self) -> Iterator[GateSpec]:
        """Yield this gate and after it those it falls back on; one that is a name only has no parameters of its own."""
        yield self
        if isinstance(self.otherwise, str):
            yield GateSpec(method=self.otherwise)
        elif self.otherwise is not None:
            yield from self.otherwise.chain()


@dataclass(frozen=True, slots=True)
class GateStep:
    """One gate of a chain: the method's name and its checked parameters."""

    method: str
    params: GateParams


class PopulationSpec(Document):
    """One population: a name, a parent above it, and a gate."""

    name: Name = Field(description="Name of the population, unique in the template.")
    parent: Name = Field(description="A population above this one, or `all`.")
    gate: GateSpec = Field(description="How the boundary is found.")
    label: str = Field("", description="What the report calls it; the name where empty.")
    note: str = Field("", description="Why this gate is as it is.")
    plot: tuple[AxisName, ...] = Field((), max_length=2, description="Axes of its plot; chosen by itself where empty.")
    requires: tuple[AxisName, ...] = Field(
        (), description="Optional markers this population needs; it is left out where one is absent."
    )


class Expectation(Document):
    """A share that a published definition asks for, such as at least 95 % CD73+ among cultured MSC."""

    population: Name = Field(description="Population whose share is asked for.")
    denominator: Name = Field(description="Population the share is taken of.")
    at_least: float | None = Field(None, ge=0, le=1, description="Smallest share that meets it (0-1).")
    at_most: float | None = Field(None, ge=0, le=1, description="Largest share that meets it (0-1).")
    source: Annotated[str, StringConstraints(min_length=1)] = Field(description="Who asks for it.")

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give `at_least` or `at_most`, one of them")
        return self

    @property
    def limit(self) -> float:
        """The share that decides."""
        limit = self.at_most if self.at_least is None else self.at_least
        assert limit is not None
        return limit

    def met_by(self, share: float) -> bool:
        """Say whether a share (0-1) meets it."""
        return share <= self.limit if self.at_least is None else share >= self.limit


ReadoutCondition = Literal["aml_at_diagnosis", "blood_in_marrow", "not_digested", "not_fixed_at_bedside"]
"""What a sample sheet may say, or leave unsaid, that a read-out suffers from (``model.readouts``)."""


class ReadoutWarning(Document):
    """What a reader of one read-out must know. Where it names a condition, the sheet decides how loud it is."""

    text: Annotated[str, StringConstraints(min_length=1)] = Field(description="The warning, in whole sentences.")
    doi: str | None = Field(None, description="DOI of the publication it comes from, where there is one.")
    when: ReadoutCondition | None = Field(
        None, description="What makes it apply to a tube; printed for all where empty."
    )
    flag: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = Field(
        None, description="Stands at every number of the read-out, and in its state, where the warning applies."
    )
    hard: bool = Field(False, description="The numbers are not to be used at all where it applies.")

    @model_validator(mode="after")
    def _of_a_condition(self) -> Self:
        if (self.flag is not None or self.hard) and self.when is None:
            raise ValueError("`flag` and `hard` need `when`: what makes the warning apply")
        return self


class Strata(Document):
    """Strata that a publication made of a number, shown as what they are."""

    limits: Annotated[tuple[float, ...], Field(min_length=1)] = Field(description="Where one ends and the next begins.")
    source: Annotated[str, StringConstraints(min_length=1)] = Field(description="Who made them, of what, and by what.")
    doi: str | None = Field(None, description="DOI of the publication.")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(low >= high for low, high in zip(self.limits, self.limits[1:], strict=False)):
            raise ValueError("limits of strata ascend")
        return self


class ReadoutRow(Document):
    """One number of a read-out: a median over that of the FMO tube, a share, a ratio of counts, or its logarithm."""

    kind: Literal["mfi_ratio", "share", "ratio", "log_ratio"] = Field(description="What is reported.")
    population: Name = Field(description="Population it is about.")
    label: str = Field("", description="What the report calls it, or the marker of an `mfi_ratio`.")
    marker: AxisName | None = Field(None, description="Marker of an `mfi_ratio`.")
    denominator: Name | None = Field(None, description="What a share, a ratio or a log ratio is of.")
    carried_by: Name | None = Field(
        None, description="Population that carries the marker for certain: an `mfi_ratio` is given of it, too."
    )
    strata: Strata | None = Field(None, description="Published strata of an `mfi_ratio`.")
    within: Name | None = Field(None, description="Population that both gates of a `log_ratio` share.")
    lost_without: AxisName | None = Field(
        None, description="A `log_ratio` is not applicable to a leukaemia whose blasts lack this marker."
    )
    carriers: Name | None = Field(
        None,
        description="Blasts that carry it, of a parent that is all blasts: too few of them say that it is lacking.",
    )

    @model_validator(mode="after")
    def _has_its_parts(self) -> Self:
        needed = {"mfi_ratio": {"marker"}, "log_ratio": {"denominator", "within"}}.get(self.kind, {"denominator"})
        more = {"mfi_ratio": {"carried_by", "strata"}, "log_ratio": {"lost_without", "carriers"}}.get(self.kind, set())
        given = {
            name
            for name in ("marker", "denominator", "carried_by", "strata", "within", "lost_without", "carriers")
            if getattr(self, name) is not None
        }
        called = f"{'an' if self.kind == 'mfi_ratio' else 'a'} {self.kind}"
        if "carriers" in given:
            needed = needed | {"lost_without"}
        if lacking := sorted(needed - given):
            raise ValueError(f"{called} needs `{'` and `'.join(lacking)}`")
        if spare := sorted(given - needed - more):
            raise ValueError(f"{called} has no `{'` and no `'.join(spare)}`")
        return self


class Readout(Document):
    """A topic of the niche with its numbers and its own warnings, reported where the tube carries what it needs."""

    name: Name = Field(description="Name, unique among the read-outs.")
    title: Annotated[str, StringConstraints(min_length=1)] = Field(description="Heading in the report.")
    rows: tuple[ReadoutRow, ...] = Field(min_length=1, description="Its numbers, in order.")
    warnings: tuple[ReadoutWarning, ...] = Field((), description="What stands beside these numbers.")


class GatingTemplate(Document):
    """A whole panel: markers, scales, populations in order, denominators, and the indices of the pattern."""

    format: Literal["stromagate.template/1"] = Field(description="Format of this document.")
    name: Name = Field(description="Name; a shipped template's file has the same one.")
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")] = Field(description="Version, a.b.c.")
    status: Literal["consensus", "reconstruction", "preprint", "local"] = Field(description="Standing of the gates.")
    title: str = Field(description="One line for people.")
    description: str = Field("", description="What it is for and what it is not for.")
    sources: tuple[SourceNote, ...] = Field((), description="Where the definitions come from.")
    warnings: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        (), description="What a reader of the numbers must know; printed with the template and in every report."
    )
    panel: PanelSpec
    aliases: dict[AxisName, tuple[str, ...]] = Field(
        default_factory=dict, description="Further names of markers on this lab's instruments."
    )
    scales: dict[str, ScaleSpec] = Field(
        default_factory=lambda: {"default": ScaleSpec()}, description="Scale by axis; `default` for the rest."
    )
    gain: GainConvention = Field("apply", description="Whether the gates were drawn on $PnG-scaled values.")
    populations: tuple[PopulationSpec, ...] = Field(min_length=1, description="Populations, parents first.")
    denominators: tuple[Name, ...] = Field((), description="Populations that rates are given per.")
    ratios: tuple[Annotated[tuple[Name, ...], Field(min_length=2, max_length=2)], ...] = Field(
        (), description="Pairs of populations whose counts are divided, the first by the second."
    )
    intensities: tuple[AxisName, ...] = Field((), description="Markers whose median is reported per population.")
    indices: dict[str, Name] = Field(default_factory=dict, description="Populations the pattern is read from.")
    beads: Name | None = Field(None, description="Population of counting beads, for absolute counts.")
    expectations: tuple[Expectation, ...] = Field(
        (), description="Shares that a published definition asks for; each is answered by a finding."
    )
    readouts: tuple[Readout, ...] = Field((), description="Read-outs of the niche, each with its own warnings.")
