"""Names, ranges and scales of the columns, and which one is time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stromagate.errors import InputError
from stromagate.fcs.layout import Column
from stromagate.fcs.numbers import BLANK, count, decimal, shortened
from stromagate.fcs.repairs import Departures
from stromagate.fcs.scale import LINEAR, Scaling
from stromagate.model.sample import Channel, GainConvention

_TIME_NAMES = frozenset({"time", "hdr-t"})


def build_channels(
    keywords: Mapping[str, str], columns: Sequence[Column], version: str, departures: Departures
) -> tuple[Channel, ...]:
    """Describe every column; names are given by position, so that names and columns can never differ in number."""
    names = _names(keywords, len(columns), departures)
    time = _time_index(keywords, names)
    described = []
    for index, (name, column) in enumerate(zip(names, columns, strict=True)):
        n = index + 1
        log = _log(keywords, n, column, version, departures)
        if log and index == time:
            departures.add("pne.on_time", f"$P{n}E {log[0]:g},{log[1]:g}", "read as linear", "time is not logarithmic")
            log = None
        described.append(
            Channel(
                index=index,
                pnn=name,
                pns=keywords.get(f"$P{n}S", "").strip(BLANK),
                bits=count(keywords.get(f"$P{n}B")) or 0,
                range_top=_range_top(keywords, n, column, departures),
                gain=_gain(keywords, n, departures),
                log_decades=log[0] if log else None,
                log_offset=log[1] if log else None,
                is_time=index == time,
            )
        )
    return tuple(described)


def timestep_s(keywords: Mapping[str, str], departures: Departures) -> float | None:
    """Return ``$TIMESTEP`` in seconds; None where there is none that can be used."""
    said = keywords.get("$TIMESTEP")
    if said is None:
        return None
    if not said.strip(BLANK):
        departures.add("timestep.blank", "$TIMESTEP is blank", "Time as stored", "$TIMESTEP gives no duration")
        return None
    step = decimal(said)
    if step is None or step <= 0:
        departures.add(
            "timestep.invalid", f"$TIMESTEP {shortened(said)}", "Time as stored", "$TIMESTEP is no positive number"
        )
        return None
    return step


def scalings(channels: Sequence[Channel], gain: GainConvention, timestep: float | None) -> tuple[Scaling, ...]:
    """Return what turns stored values into scale values, per column."""
    return tuple(_scaling(channel, gain, timestep) for channel in channels)


def _scaling(channel: Channel, gain: GainConvention, timestep: float | None) -> Scaling:
    if channel.is_time:
        return LINEAR if timestep is None or timestep == 1.0 else Scaling("times", timestep)
    if channel.log_decades is not None and channel.log_offset is not None:
        return Scaling("log", channel.log_decades / channel.range_top, channel.log_offset)
    return Scaling("divide", channel.gain) if gain == "apply" and channel.gain != 1.0 else LINEAR


def _names(keywords: Mapping[str, str], n_channels: int, departures: Departures) -> list[str]:
    stated = [keywords.get(f"$P{n}N", "").strip(BLANK) for n in range(1, n_channels + 1)]
    taken = set(filter(None, stated))
    names: list[str] = []
    seen: set[str] = set()
    absent, twice = [], []
    for n, name in enumerate(stated, 1):
        if not name:
            absent.append(n)
        elif name in seen:
            twice.append(name)
        unique = _unique(name or f"P{n}", taken, first=bool(name) and name not in seen)
        taken.add(unique)
        seen.add(unique)
        names.append(unique)
    if absent:
        departures.add(
            "names.missing",
            "no " + ", ".join(f"$P{n}N" for n in absent[:8]),
            ", ".join(names[n - 1] for n in absent[:8]),
            "a channel has no name: it is called by its place",
        )
    if twice:
        departures.add(
            "names.duplicate", shortened(", ".join(twice)), "later ones get -2, -3 ...", "channels share a name"
        )
    return names


def _unique(name: str, taken: set[str], *, first: bool) -> str:
    if first or name not in taken:
        return name
    n = 2
    while f"{name}-{n}" in taken:
        n += 1
    return f"{name}-{n}"


def _time_index(keywords: Mapping[str, str], names: Sequence[str]) -> int | None:
    for index, name in enumerate(names):
        kind = keywords.get(f"$P{index + 1}TYPE", "").strip(BLANK).casefold()
        if name.casefold() in _TIME_NAMES or kind == "time":
            return index
    return None


def _range_top(keywords: Mapping[str, str], n: int, column: Column, departures: Departures) -> float:
    top = decimal(keywords[f"$P{n}R"])
    if top is None or (top <= 0 and column.kind != "I"):
        departures.add(
            "pnr.unknown",
            f"$P{n}R {shortened(keywords[f'$P{n}R'])}",
            "range unknown",
            "the range of a channel is no positive number; floating-point values do not depend on it",
        )
        return 0.0
    return top


def _gain(keywords: Mapping[str, str], n: int, departures: Departures) -> float:
    said = keywords.get(f"$P{n}G", "").strip(BLANK)
    gain = decimal(said)
    if gain is not None and gain > 0:
        return gain
    # Zero is how some instruments write "no gain".
    if gain != 0 and f"$P{n}G" in keywords:
        departures.add("png.invalid", f"$P{n}G {shortened(said) or 'blank'}", "gain 1", "$PnG is no positive number")
    return 1.0


def _log(
    keywords: Mapping[str, str], n: int, column: Column, version: str, departures: Departures
) -> tuple[float, float] | None:
    """Return decades and value at zero of a logarithmic column, None for a linear one."""
    said = keywords.get(f"$P{n}E", "").strip(BLANK)
    if not said:
        if version != "2.0" or f"$P{n}E" in keywords:
            departures.add("pne.missing", f"no $P{n}E", "read as linear", "$PnE does not say the scale")
        return None
    numbers = [decimal(word) for word in said.split(",")] if len(said) < 200 else []
    decades, offset = (numbers[0], numbers[1]) if len(numbers) == 2 else (None, None)
    if column.kind in {"F", "D"}:
        if decades != 0 or offset != 0:
            departures.add(
                "pne.on_float", f"$P{n}E {shortened(said)}", "read as linear", "floating-point values are linear"
            )
        return None
    if decades is None or offset is None or decades < 0 or offset < 0:
        raise InputError(
            "fcs.keyword.bad",
            f"$P{n}E is {shortened(said)!r}, not decades and the value at zero, such as 4,1 or 0,0",
            hint="$PnE decides what the numbers mean: export the file again",
        )
    if decades == 0:
        if offset != 0:
            departures.add(
                "pne.invalid", f"$P{n}E {shortened(said)}", "read as linear", "a scale of 0 decades is linear"
            )
        return None
    if offset == 0:
        departures.add(
            "pne.offset_zero", f"$P{n}E {shortened(said)}", f"{decades:g},1", "a logarithm cannot begin at zero"
        )
        offset = 1.0
    return decades, offset
