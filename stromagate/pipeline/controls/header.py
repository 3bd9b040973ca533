"""What a tube's file says that decides which controls belong to it: from its header, before any event is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from stromagate.errors import SpecificationError
from stromagate.fcs import FcsHeader, read_header
from stromagate.model.config import RunConfig
from stromagate.model.panel import Binding
from stromagate.model.sample import Channel, SourceRef, Spillover
from stromagate.model.template import GatingTemplate
from stromagate.pipeline.tubes import Tube
from stromagate.prepare import bind_template

_SERIAL_KEYWORDS = ("$CYTSN", "CYTNUM")
_UNKNOWN_SERIALS = {"", "0", "none", "unknown"}
# A matrix that was written with fewer digits is still the same one.
_SAME_SHARE = 1e-4


@dataclass(frozen=True, slots=True)
class Facts:
    """One tube's header, as far as pairing asks.

    Attributes
    ----------
    channels, source
        Of the file; enough to bind a template.
    detectors : mapping of str to str
        ``$PnN`` by axis of the template; empty where the template's markers could not be bound.
    volts : mapping of str to float
        Detector voltage by ``$PnN``.
    day : str
        ``$DATE``: compared, and never printed or stored, because a date may point to a person.
    """

    channels: tuple[Channel, ...]
    source: SourceRef
    detectors: Mapping[str, str]
    volts: Mapping[str, float]
    cytometer: str
    serial: str
    spillover: Spillover = field(repr=False)
    day: str = field(repr=False)

    @property
    def pnn(self) -> frozenset[str]:
        """Every ``$PnN`` of the file."""
        return frozenset(channel.pnn for channel in self.channels)

    def axis_volts(self) -> dict[str, float]:
        """Return the voltage of every bound axis that has one."""
        return {axis: self.volts[pnn] for axis, pnn in self.detectors.items() if pnn in self.volts}


def look(tube: Tube, template: GatingTemplate, config: RunConfig) -> Facts:
    """Read a tube's header.

    Raises
    ------
    InputError
        The file is refused.
    """
    header = read_header(tube.path, dataset=config.dataset, policy=config.policy)
    words = header.keywords
    return Facts(
        channels=header.channels,
        source=header.source,
        detectors=_detectors(header, template, config),
        volts=volts_of(header),
        cytometer=words.get("$CYT", "").strip().casefold(),
        serial=serial_of(words),
        spillover=header.spillover,
        day=words.get("$DATE", "").strip().casefold(),
    )


def detectors(bindings: tuple[Binding, ...]) -> dict[str, str]:
    """Return ``$PnN`` by axis."""
    return {binding.axis: binding.pnn for binding in bindings}


def same_matrix(one: Spillover, other: Spillover) -> bool | None:
    """Say whether two files state the same spillover; None where one of them states none."""
    if one.matrix is None or other.matrix is None:
        return None
    if one.text and one.text == other.text:
        return True
    if set(one.channels) != set(other.channels):
        return False
    order = [other.channels.index(name) for name in one.channels]
    return bool(np.allclose(one.matrix, other.matrix[np.ix_(order, order)], rtol=0, atol=_SAME_SHARE))


def _detectors(header: FcsHeader, template: GatingTemplate, config: RunConfig) -> dict[str, str]:
    """Return ``$PnN`` by axis; nothing where the template does not fit, of which the analysis will speak."""
    try:
        return detectors(bind_template(header, template, config).bindings)
    except SpecificationError:
        return {}


def serial_of(keywords: Mapping[str, str]) -> str:
    """Return the cytometer's serial number in small letters; empty where it is not known."""
    stated = next((keywords[key].strip() for key in _SERIAL_KEYWORDS if keywords.get(key, "").strip()), "").casefold()
    return "" if stated in _UNKNOWN_SERIALS else stated


def volts_of(header: FcsHeader) -> dict[str, float]:
    """Return the voltage of each detector that states one, by ``$PnN``."""
    found = {}
    for channel in header.channels:
        text = header.keywords.get(f"$P{channel.index + 1}V", "").strip()
        try:
            found[channel.pnn] = float(text)
        except ValueError:
            continue
    return found
