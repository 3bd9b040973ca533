"""What the channels of a tube are called: by a panel file, by ``$PnS`` and by ``$PnN``, each name taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stromagate.model.sample import Channel
from stromagate.prepare.labels import Label, Names, read_label
from stromagate.prepare.panel_file import PanelRow
from stromagate.templates.aliases import squash


@dataclass(frozen=True, slots=True)
class Name:
    """What a channel is called: by a panel file or by ``$PnS``, taken apart, and by ``$PnN``, taken apart."""

    label: Label
    from_panel_file: bool
    detector: Label


@dataclass(frozen=True, slots=True)
class Tube:
    """The channels of a tube, what each is called, and the names that a template gives to its markers."""

    channels: tuple[Channel, ...]
    called: tuple[Name, ...]
    names: Names

    def pairs(self) -> Iterator[tuple[Channel, Name]]:
        """Return the channels with what they are called."""
        return zip(self.channels, self.called, strict=True)


def tube_called(channels: Sequence[Channel], rows: Sequence[PanelRow], names: Names) -> Tube:
    """Return the channels with what they are called; rows of a panel file stand over the file's own names."""
    panel = {row.channel.casefold(): row.marker for row in rows}
    called = []
    for channel in channels:
        given = panel.get(channel.pnn.casefold())
        text = channel.pns.strip() if given is None else given
        copied = given is None and text.casefold() == channel.pnn.strip().casefold()
        label = Label("") if copied else read_label(text, names)
        called.append(Name(label, given is not None, read_label(channel.pnn, names, detector=True)))
    return Tube(tuple(channels), tuple(called), names)


def own_name(label: Label, marker: str) -> bool:
    """Capitals, spaces and hyphens apart, and a fluorochrome beside it, the label is the marker's own name."""
    if label.text.strip() == marker or (label.text and squash(label.text) == squash(marker)):
        return True
    return label.names_only(marker) and label.markers[marker] == squash(marker)


def means(label: Label, marker: str, names: Names) -> bool:
    """Say whether the label names the marker, by any name, or is a joined name that the template gives to it."""
    if own_name(label, marker) or label.names_only(marker):
        return True
    return not label.unknown and frozenset(label.markers) in names.joined.get(marker, ())


def is_joined(tube: Tube, channel: int, marker: str) -> bool:
    """Say whether the channel, by its index, is called by a joined name that the template gives to the marker."""
    return frozenset(tube.called[channel].label.markers) in tube.names.joined.get(marker, ())


def shown(channel: Channel) -> str:
    """Return a channel as messages name it: ``APC-A :: CD146``."""
    return f"{channel.pnn} :: {channel.pns}" if channel.pns.strip() else channel.pnn
