"""Markers bound to channels by the names they go under; what cannot be bound with certainty is an error.

Order of trust: the user's word (``--marker``), the panel file, the file's own names (``$PnS``, then ``$PnN``), known
synonyms. A colour shared by several markers (``CD235a+CD71``) binds only where the template names it so. A ``$PnN`` is
asked only where ``$PnS`` names no other marker, because detectors keep the names of dyes the lab no longer uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from stromagate.errors import DocumentError, SpecificationError
from stromagate.model.panel import Binding, BoundBy, Panel
from stromagate.model.sample import Channel, SourceRef
from stromagate.prepare import scatter
from stromagate.prepare.called import Name, Tube, means, own_name, shown, tube_called
from stromagate.prepare.labels import is_marker_name, names_of, split_pulse
from stromagate.prepare.panel_file import PanelRow, read_panel_file, unknown_channels
from stromagate.prepare.unbound import hint, missing, override_trouble, shared
from stromagate.templates.aliases import SCATTER_AND_TIME, squash

if TYPE_CHECKING:
    from stromagate.model.config import RunConfig
    from stromagate.model.template import GatingTemplate


class Channelled(Protocol):
    """What has channels: a sample, or a file's header alone."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The tube's channels."""
        ...

    @property
    def source(self) -> SourceRef:
        """Where it came from."""
        ...


def bind_template(sample: Channelled, template: GatingTemplate, config: RunConfig | None = None) -> Panel:
    """Bind all axes of a template to a tube's channels.

    Raises
    ------
    SpecificationError
        A marker or a scatter axis that a gate uses is not on the tube, or is there more than once.
    DocumentError
        The panel file is wrong.
    InputError
        The panel file cannot be read.
    """
    rows: tuple[PanelRow, ...] = ()
    if config is not None and config.panel_file is not None:
        rows = read_panel_file(config.panel_file)
        problems = unknown_channels(rows, [channel.pnn for channel in sample.channels])
        if problems:
            raise DocumentError("panel_file.channels", config.panel_file, problems)
    return bind(
        sample.channels,
        template.panel.required,
        template.panel.optional,
        scatter_used=_scatter_used(template),
        aliases=template.aliases,
        overrides=config.markers if config is not None else {},
        panel_rows=rows,
        where=sample.source.path,
    )


def bind(
    channels: Sequence[Channel],
    required: Sequence[str],
    optional: Sequence[str] = (),
    *,
    scatter_used: Iterable[str] = (),
    aliases: Mapping[str, Iterable[str]] | None = None,
    overrides: Mapping[str, str] | None = None,
    panel_rows: Sequence[PanelRow] = (),
    where: str | None = None,
) -> Panel:
    """Bind markers, scatter and time.

    Parameters
    ----------
    channels : sequence of Channel
        The tube's channels.
    required, optional : sequence of str
        Markers (or scatter axes) that must be there, and those that may be absent.
    scatter_used : iterable of str
        Scatter axes that gates look at; the others are bound where they are found.
    aliases : mapping of str to iterable of str, optional
        Further names of markers, beside the known ones.
    overrides : mapping of str to str, optional
        Axis to ``$PnN``, over everything else.
    panel_rows : sequence of PanelRow
        Rows of a panel file, over the file's own names.
    where : str, optional
        The tube, for messages.

    Returns
    -------
    Panel
        Bindings in the order required, optional, scatter, time.

    Raises
    ------
    SpecificationError
        Everything that could not be bound, in one message, with the channels there are.
    """
    names = names_of((*required, *optional), aliases or {})
    tube = tube_called(channels, panel_rows, names)
    further = [axis for axis in SCATTER_AND_TIME if axis not in (*required, *optional)]
    axes = (*required, *optional, *further)
    needed = {*required, *scatter_used} - set(optional)
    trouble = list(override_trouble(tube, overrides or {}, axes))
    bindings: list[Binding] = []
    absent: list[str] = []
    for axis in axes:
        try:
            found = _bind_axis(tube, axis, (overrides or {}).get(axis))
        except _Ambiguous as cause:
            if axis in (*required, *optional) or axis in needed:
                trouble.append(str(cause))
            continue
        if found is not None:
            bindings.append(found)
        elif axis in needed:
            trouble.append(missing(tube, axis))
        elif axis in optional:
            absent.append(axis)
    trouble += shared(tube, bindings)
    if trouble:
        raise SpecificationError("panel.unbound", "; ".join(trouble), where=where, hint=hint(tube, axes))
    return Panel(tuple(bindings), tuple(absent))


class _Ambiguous(Exception):  # noqa: N818  (an answer on its way to the one message)
    pass


def _scatter_used(template: GatingTemplate) -> list[str]:
    """Time is not among them: a tube without it is gated whole, and the time gate says so."""
    used: list[str] = []
    for gate in (gate for population in template.populations for gate in population.gate.chain()):
        params = gate.params
        listed = params.get("axes") or [params.get("axis")]
        used += [axis for axis in listed if axis in SCATTER_AND_TIME and axis != "Time"]
    return list(dict.fromkeys(used))


def _bind_axis(tube: Tube, axis: str, override: str | None) -> Binding | None:
    if override is not None:
        return _overridden(tube, axis, override)
    if axis in SCATTER_AND_TIME:
        return _one(axis, scatter.candidates(axis, tube.channels), "scatter")
    by_panel_file = [c for c, name in tube.pairs() if name.from_panel_file and means(name.label, axis, tube.names)]
    if by_panel_file:
        return _one(axis, by_panel_file, "panel file")
    by_label = [c for c, name in tube.pairs() if own_name(name.label, axis)]
    by_detector = [c for c, name in tube.pairs() if _by_detector(c, name, axis) and c not in by_label]
    own = [*by_label, *by_detector]
    if own:
        return _one(axis, own, "$PnS", by_label)
    by_alias = [c for c, name in tube.pairs() if means(name.label, axis, tube.names) or _alias_detector(name, axis)]
    return _one(axis, by_alias, "alias") if by_alias else None


def _overridden(tube: Tube, axis: str, override: str) -> Binding | None:
    exact = [channel for channel in tube.channels if channel.pnn == override]
    found = exact or [channel for channel in tube.channels if channel.pnn.casefold() == override.casefold()]
    if len(found) > 1:
        message = f"'{override}' given for {axis} is the $PnN of {len(found)} channels"
        raise _Ambiguous(message)
    return _binding(axis, found[0], "override") if found else None


def _by_detector(channel: Channel, name: Name, marker: str) -> bool:
    if name.from_panel_file:
        return False
    if channel.pnn == marker and not is_marker_name(marker):
        return True  # the template speaks of the detector itself, such as "FL1-A"
    free = not name.label.markers or marker in name.label.markers
    exact = channel.pnn == marker or squash(channel.pnn) == squash(marker)
    return free and (exact or own_name(name.detector, marker))


def _alias_detector(name: Name, marker: str) -> bool:
    return not name.from_panel_file and not name.label.markers and name.detector.names_only(marker)


def _one(
    axis: str, found: Sequence[Channel], how: BoundBy, by_label: Sequence[Channel] | None = None
) -> Binding | None:
    """Return the one channel; of the pulse parameters of one detector the area, else the height."""
    if not found:
        return None

    def bound(channel: Channel) -> Binding:
        said = how if by_label is None or channel in by_label else "$PnN"
        return _binding(axis, channel, said)

    if len(found) > 1 and len({split_pulse(channel.pnn)[0] for channel in found}) == 1:
        for pulse in ("a", "h", ""):
            preferred = [channel for channel in found if split_pulse(channel.pnn)[1] == pulse]
            if len(preferred) == 1:
                return bound(preferred[0])
    if len(found) > 1:
        message = f"{axis} is on {len(found)} channels: {', '.join(map(shown, found))}"
        raise _Ambiguous(message)
    return bound(found[0])


def _binding(axis: str, channel: Channel, how: BoundBy) -> Binding:
    return Binding(axis, channel.index, channel.pnn, channel.pns, how)
