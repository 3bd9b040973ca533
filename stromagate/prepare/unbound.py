"""What is said of markers that could not be bound, each with the channel that comes nearest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stromagate.errors import did_you_mean, nearest
from stromagate.model.panel import Binding
from stromagate.prepare import scatter
from stromagate.prepare.called import Tube, is_joined, shown
from stromagate.templates.aliases import SCATTER_AND_TIME


def override_trouble(tube: Tube, overrides: Mapping[str, str], axes: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with markers that were put on a channel by hand."""
    pnn = [channel.pnn for channel in tube.channels]
    for axis, channel in overrides.items():
        if axis not in axes:
            yield f"'{axis}' was given a channel and is no axis of the template ({did_you_mean(axis, axes)})"
        elif channel.casefold() not in {name.casefold() for name in pnn}:
            close = nearest(channel, pnn)
            yield f"{axis} was given the channel '{channel}', which the tube does not have" + (
                f" (did you mean '{close}'?)" if close else ""
            )


def missing(tube: Tube, axis: str) -> str:
    """Return why no channel could be taken for an axis."""
    for channel, name in tube.pairs():
        for label in (name.label, name.detector):
            if axis in label.markers and label.unknown:
                words = " ".join(label.unknown)
                return f"no channel carries {axis}: {shown(channel)} may be it, but '{words}' is not understood"
            if axis in label.markers and len(label.markers) > 1:
                return f"no channel carries {axis} alone: {shown(channel)} names {' and '.join(label.markers)}"
    if axis in SCATTER_AND_TIME:
        return f"no channel is {axis}"
    called = {text: c for c, name in tube.pairs() for text in (name.label.text, c.pnn) if text}
    close = nearest(axis, called)
    return f"no channel carries {axis}" + (f" (nearest: {shown(called[close])})" if close else "")


def shared(tube: Tube, bindings: Sequence[Binding]) -> Iterator[str]:
    """Two markers on one colour are told apart by nothing, so both must have been put there on purpose."""
    on: dict[int, list[Binding]] = {}
    for binding in bindings:
        on.setdefault(binding.channel, []).append(binding)
    for channel, several in on.items():
        # A panel file gives a channel one cell: beside a marker by hand, that cell speaks of what was there before.
        stated = {binding.how for binding in several} == {"override"}
        joined = all(is_joined(tube, channel, binding.axis) for binding in several)
        light = any(binding.axis in SCATTER_AND_TIME for binding in several)
        if len(several) > 1 and (light or not (stated or joined)):
            axes = " and ".join(binding.axis for binding in several)
            yield f"{axes} are both bound to {shown(tube.channels[channel])}"


def hint(tube: Tube, axes: Sequence[str]) -> str:
    """Return the channels that there are, and how to say which is which."""
    listed = ", ".join(shown(c) for c in tube.channels if not scatter.is_scatter_or_time(c))
    example = axes[0] if axes else "CD146"
    return f"channels: {listed or 'none but scatter and time'}; say which with --marker {example}=$PnN or a panel file"
