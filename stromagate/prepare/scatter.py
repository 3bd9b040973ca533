"""Scatter and time channels under the names that vendors give to them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stromagate.model.sample import Channel
from stromagate.prepare.labels import strip_compensated
from stromagate.templates.aliases import SCATTER_AND_TIME, squash

# Beckman's INT, PEAK and TOF are area, height and width, and its "FS Lin" is the integral; Sony's BSC is side scatter.
_LIGHT = {"FSC": "fsc|fs|als|forwardscatter", "SSC": "ssc|ss|bsc|sidescatter"}
_PULSE = {"A": "a|area|int|lin|lina|intlin", "H": "h|height|peak|linh|peaklin", "W": "w|width|tof|toflin"}
_TIME = re.compile(r"time|hdrt|tme|time\d+(ms|sec|s)?")


def candidates(axis: str, channels: Sequence[Channel]) -> list[Channel]:
    """Return the channels that may be a scatter axis or time: by ``$PnN``, and by ``$PnS`` only where none is.

    Parameters
    ----------
    axis : str
        One of ``FSC-A`` ... ``SSC-W`` and ``Time``.
    channels : sequence of Channel
        The tube's channels.

    Returns
    -------
    list of Channel
        One where the axis is found, more where the names are ambiguous.
    """
    if axis not in SCATTER_AND_TIME:
        return []
    if axis == "Time":
        found = [channel for channel in channels if channel.is_time]
        return found or _named(_TIME, channels)
    light, pulse = axis.split("-")
    exact = [channel for channel in channels if strip_compensated(channel.pnn).strip().casefold() == axis.casefold()]
    found = exact or _named(re.compile(f"({_LIGHT[light]})({_PULSE[pulse]})"), channels)
    # A bare "FSC" is taken as the area where the instrument records nothing more precise under that name.
    return found or (_named(re.compile(_LIGHT[light]), channels) if pulse == "A" else [])


def is_scatter_or_time(channel: Channel) -> bool:
    """Say whether a channel is light scatter or time and so carries no marker."""
    lights = "|".join(_LIGHT.values())
    any_pulse = f"({lights})(log)?({'|'.join(_PULSE.values())})?"
    return channel.is_time or bool(_TIME.fullmatch(squash(channel.pnn)) or re.fullmatch(any_pulse, squash(channel.pnn)))


def _named(pattern: re.Pattern[str], channels: Sequence[Channel]) -> list[Channel]:
    by_pnn = [channel for channel in channels if pattern.fullmatch(squash(strip_compensated(channel.pnn)))]
    return by_pnn or [channel for channel in channels if pattern.fullmatch(squash(channel.pns))]
