"""Which channel carries which axis of a template, and how that was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BoundBy = Literal["override", "panel file", "$PnS", "$PnN", "alias", "scatter"]


@dataclass(frozen=True, slots=True)
class Binding:
    """One axis (marker, scatter or time) and its channel."""

    axis: str
    channel: int
    pnn: str
    pns: str
    how: BoundBy


@dataclass(frozen=True, slots=True)
class Panel:
    """All axes of a template that this tube carries, and the optional ones it does not."""

    bindings: tuple[Binding, ...]
    absent: tuple[str, ...] = ()

    def channel(self, axis: str) -> int:
        """Return the column of ``axis``; KeyError where it is not bound."""
        for binding in self.bindings:
            if binding.axis == axis:
                return binding.channel
        raise KeyError(axis)

    @property
    def axes(self) -> tuple[str, ...]:
        """Bound axes, in the template's order."""
        return tuple(binding.axis for binding in self.bindings)


@dataclass(frozen=True, slots=True)
class Compensation:
    """A spillover matrix in use: where it came from, over which ``$PnN``, row = fluorochrome, column = detector."""

    source: str
    channels: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
