"""The markers that a tube's own names speak of, for somebody who has no template yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stromagate.errors import SpecificationError
from stromagate.model.sample import Channel
from stromagate.prepare import scatter
from stromagate.prepare.bind import bind
from stromagate.prepare.labels import Names, names_of, read_label, split_pulse
from stromagate.templates.aliases import SCATTER_AND_TIME, squash

_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Stain:
    """One marker of a tube: the channel it is on, and what the channel calls it where that is another name.

    ``known`` is False for a name that no table has: it is kept as it is written. ``joined`` are the markers behind a
    name for several at once (``CD235a+CD71``), the first of which stands for all.
    """

    marker: str
    pnn: str
    label: str
    known: bool
    joined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stains:
    """All markers of a tube in its order, the scatter and time axes it has, and channels left out with the reason."""

    stains: tuple[Stain, ...]
    axes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def stains_of(channels: Sequence[Channel]) -> Stains:
    """Read the markers off a tube's labels.

    Parameters
    ----------
    channels : sequence of Channel
        The tube's channels.
    """
    names = names_of((), {})
    axes = tuple(axis for axis in SCATTER_AND_TIME if len(_areas(scatter.candidates(axis, channels))) == 1)
    found: dict[str, list[Stain]] = {}
    left_out: list[tuple[str, str]] = []
    for channel in _areas([channel for channel in channels if not scatter.is_scatter_or_time(channel)]):
        label = channel.pns.strip()
        if len(label) > _LONGEST_NAME or not label.isprintable():
            left_out.append((channel.pnn, "its label is too long, or holds characters that cannot be shown"))
            continue
        if not label or label.casefold() == channel.pnn.strip().casefold():
            stain = _read(channel, channel.pnn, names, detector=True)
            if not stain.known:
                left_out.append((channel.pnn, "it has no label that names a marker"))
                continue
        else:
            stain = _read(channel, label, names, detector=False)
        found.setdefault(squash(stain.marker), []).append(stain)
    for several in found.values():
        if len(several) > 1:
            left_out += [(stain.pnn, f"{stain.marker} is on {len(several)} channels") for stain in several]
    single = [several[0] for several in found.values() if len(several) == 1]
    why = {stain.marker: _cannot_be_bound(stain, channels) for stain in single}
    left_out += [(stain.pnn, reason) for stain in single if (reason := why[stain.marker])]
    return Stains(tuple(stain for stain in single if not why[stain.marker]), axes, tuple(left_out))


def _cannot_be_bound(stain: Stain, channels: Sequence[Channel]) -> str:
    """Say why a template could not find the marker again by its name; empty where it could."""
    aliases = {stain.marker: ["+".join(stain.joined)]} if stain.joined else {}
    try:
        bind(channels, [stain.marker], aliases=aliases)
    except SpecificationError as error:
        return error.message
    return ""


def _read(channel: Channel, text: str, names: Names, *, detector: bool) -> Stain:
    label = read_label(text, names, detector=detector)
    markers = tuple(label.markers)
    if not markers or label.unknown:
        return Stain(text, channel.pnn, text, known=False)
    return Stain(markers[0], channel.pnn, text, known=True, joined=markers if len(markers) > 1 else ())


def _areas(channels: Sequence[Channel]) -> list[Channel]:
    """Return one channel a detector: its area, else its height, else what there is."""
    by_detector: dict[str, list[Channel]] = {}
    for channel in channels:
        by_detector.setdefault(split_pulse(channel.pnn)[0], []).append(channel)
    order = ("a", "h", "", "w")
    return [min(pulses, key=lambda each: order.index(split_pulse(each.pnn)[1])) for pulses in by_detector.values()]
