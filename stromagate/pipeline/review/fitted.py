"""What edits of a tube are held against: its boundaries as they were fitted, before anybody moved one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stromagate.errors import DocumentError, Problem, SpecificationError, did_you_mean
from stromagate.gating.geometry import check
from stromagate.model.audit import Change
from stromagate.model.edits import GateEdit, SampleEdits
from stromagate.model.gates import Boolean, Geometry
from stromagate.model.result import SampleResult
from stromagate.pipeline.edits import made_on
from stromagate.pipeline.review.journal import now


@dataclass(frozen=True, slots=True)
class Fitted:
    """The automatic boundaries of a tube (display units), by population in the tree's order, and what they hang on."""

    sample_id: str
    tree_sha256: str
    boundaries: Mapping[str, Geometry | None]
    axes: frozenset[str]
    left_out: Mapping[str, str]
    own: SampleEdits | None

    @classmethod
    def of(cls, result: SampleResult) -> Fitted:
        """Return them as a result tells; ``own`` are the edits that it was made with."""
        before = {node.name: node.geometry for node in result.replaced}
        boundaries = {node.name: before.get(node.name, node.geometry) for node in result.tree.nodes}
        return cls(
            result.sample_id,
            result.fitted_tree_sha256,
            boundaries,
            frozenset(result.tree.axes),
            result.left_out,
            edits_in(result),
        )


def edits_in(result: SampleResult) -> SampleEdits | None:
    """Return the edits that a result was made with, as a document has them."""
    if not result.edits:
        return None
    return SampleEdits(
        sample_id=result.sample_id,
        tree_sha256=result.fitted_tree_sha256,
        edits=result.edits,
        made_on=made_on(result) if result.source.sha256 else None,
    )


def moved(
    result: SampleResult,
    before: SampleEdits | None,
    boundaries: Mapping[str, Geometry | None],
    *,
    who: str,
    why: str,
    when: str = "",
) -> SampleEdits | None:
    """Return the edits of a tube after some boundaries were moved or set back.

    Parameters
    ----------
    result : SampleResult
        Of the tube: edits are bound to its fitted tree.
    before : SampleEdits or None
        Those that stand; the ones of other populations stay as they are.
    boundaries : mapping of str to Geometry or None
        The new boundary of each moved population in display units; None sets it back to the automatic one.
    who, why : str
        Of the new edits.
    when : str, optional
        Time with its zone; now by default.

    Returns
    -------
    SampleEdits or None
        For `ReviewStore.put`; None where no edit is left.

    Raises
    ------
    SpecificationError
        An edit that would stay was made on other boundaries than those of the result.
    """
    old = {edit.population: edit for edit in before.edits} if before else {}
    if before is not None and before.tree_sha256 != result.fitted_tree_sha256:
        _must_not_stay([name for name in old if name not in boundaries], before, result)
        old = {}
    for name, geometry in boundaries.items():
        if geometry is None:
            old.pop(name, None)
        elif name not in old or old[name].geometry != geometry:
            old[name] = GateEdit(population=name, geometry=geometry, who=who, when=when or now(), why=why)
    places = {node.name: place for place, node in enumerate(result.tree.nodes)}
    edits = sorted(old.values(), key=lambda edit: places.get(edit.population, len(places)))
    if not edits:
        return None
    return SampleEdits(
        sample_id=result.sample_id,
        tree_sha256=result.fitted_tree_sha256,
        edits=tuple(edits),
        made_on=made_on(result) if result.source.sha256 else None,
    )


def _must_not_stay(names: Sequence[str], before: SampleEdits, result: SampleResult) -> None:
    """Refuse to bind edits to boundaries that nobody saw when they were made."""
    if names:
        raise SpecificationError(
            "review.tree",
            f"earlier edits of this tube were made on other boundaries than those of the result "
            f"({before.tree_sha256[:12]} is not {result.fitted_tree_sha256[:12]}): {', '.join(names)}",
            where=result.sample_id,
            hint="set them back to the automatic boundary, or draw them anew",
        )


def must_fit(edits: SampleEdits, fitted: Fitted) -> None:
    """Refuse edits that do not go with a tube, with all that is wrong.

    Raises
    ------
    SpecificationError
        They were made on other boundaries than those of the result.
    DocumentError
        Unknown populations or axes, impossible boundaries, a population twice.
    """
    if edits.tree_sha256 != fitted.tree_sha256:
        raise SpecificationError(
            "review.tree",
            f"these boundaries were drawn on others than those of the result ({edits.tree_sha256[:12]} is not "
            f"{fitted.tree_sha256[:12]})",
            where=fitted.sample_id,
            hint="load the tube again, and draw on what is there now",
        )
    problems = [
        Problem(None, f"edits[{index}].{place}", message, hint)
        for index in range(len(edits.edits))
        for place, message, hint in _faults(index, edits, fitted)
    ]
    if problems:
        raise DocumentError("review.edits", f"edits of {fitted.sample_id}", problems)


def changes(
    fitted: Fitted | None, sample_id: str, before: SampleEdits | None, after: SampleEdits | None
) -> Iterator[Change]:
    """Yield every boundary that differs between two states of a tube's edits; without an edit, it is the automatic."""
    old, new = ({edit.population: edit for edit in each.edits} if each else {} for each in (before, after))
    automatic = fitted.boundaries if fitted else {}
    for name in [*new, *(name for name in old if name not in new)]:
        if old.get(name) != new.get(name):
            yield Change(
                sample_id=sample_id,
                population=name,
                old=old[name].geometry if name in old else automatic.get(name),
                new=new[name].geometry if name in new else automatic.get(name),
                automatic=tuple(side for side, edits in (("old", old), ("new", new)) if name not in edits),
            )


def _faults(index: int, edits: SampleEdits, fitted: Fitted) -> Iterator[tuple[str, str, str | None]]:
    """Yield what is wrong with one edit: the part of it, what, and what would be right."""
    edit, names = edits.edits[index], list(fitted.boundaries)
    name = edit.population
    if name in fitted.left_out:
        yield "population", f"this tube has no '{name}': {fitted.left_out[name]}", None
    elif name not in names:
        yield "population", f"no population is named '{name}'", did_you_mean(name, names)
    if name in [earlier.population for earlier in edits.edits[:index]]:
        yield "population", f"'{name}' is edited twice", "keep one edit a population"
    for axis in edit.geometry.axes:
        if axis not in fitted.axes:
            yield "geometry", f"this tube carries no {axis}", did_you_mean(axis, fitted.axes)
    if isinstance(edit.geometry, Boolean):
        above = names[: names.index(name)] if name in names else names
        for other in (other for other in edit.geometry.of if other not in above):
            yield "geometry", f"it combines '{other}', which does not stand above it", did_you_mean(other, above)
    try:
        check(edit.geometry)
    except SpecificationError as error:
        yield "geometry", error.message, error.hint
