"""What the bytes say about where DATA begins: blanks before it, values within ``$PnR``, Time in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stromagate.fcs.datasets import DataSet
from stromagate.fcs.decode import stored_column, without_masks
from stromagate.fcs.layout import Layout
from stromagate.fcs.source import ByteSource
from stromagate.fcs.surroundings import CRC_BYTES, Surroundings
from stromagate.model.sample import F64, Channel

_LOOKED_AT = 5_000
# A true place is nearly all in range, or nearly all in order; a wrong one must fall clearly behind.
_CONVINCING, _BEHIND = 0.98, 0.05
_SMALLEST_PLAUSIBLE = 1e-20


@dataclass(frozen=True, slots=True)
class Ground:
    """The bytes of one data set, and what is known of them before DATA is found."""

    source: ByteSource
    chosen: DataSet
    around: Surroundings
    layout: Layout
    channels: Sequence[Channel]

    def blank_before(self, begin: int) -> bool:
        """Say whether only blanks stand between ``begin`` and the segment before it."""
        return self.around.blank_before(self.source, self.chosen.base, begin)

    def settled(self, begin: int, n_bytes: int) -> bool:
        """Say whether a place named once is believable: blanks before it, and not a slip into those blanks.

        A begin that slipped forward into the blanks makes DATA begin with a blank and leaves bytes behind its end.
        """
        if not self.blank_before(begin):
            return False
        trailing = self.chosen.room - self.around.last_byte(begin + n_bytes - 1) - 1
        return trailing in {0, CRC_BYTES} or self.source.at(self.chosen.base + begin, 1) != b" "

    def judge(self, first: int, second: int, n_events: int) -> tuple[int | None, str]:
        """Return which of two places holds sensible values (None: neither stands out), and the figures."""
        n = min(n_events, _LOOKED_AT)
        shares = [self._shares(begin, n) for begin in (first, second)]
        figures = "; ".join(
            f"at {begin}: {share:.1%} of {n:,} events' values within $PnR"
            + ("" if order is None else f", Time ascends in {order:.1%}")
            for begin, (share, order) in zip((first, second), shares, strict=True)
        )
        votes = {_stands_out(shares[0][0], shares[1][0])}
        if shares[0][1] is not None and shares[1][1] is not None:
            votes.add(_stands_out(shares[0][1], shares[1][1]))
        votes.discard(None)
        return (votes.pop() if len(votes) == 1 else None), figures

    def _shares(self, begin: int, n: int) -> tuple[float, float | None]:
        stride = self.layout.stride
        block = np.frombuffer(self.source.at(self.chosen.base + begin, n * stride), dtype=np.uint8).reshape(n, stride)
        inside, order = [], None
        for column, channel in zip(without_masks(self.layout).columns, self.channels, strict=True):
            with np.errstate(invalid="ignore", over="ignore"):
                values = stored_column(block, column).astype(np.float64)
            inside.append(_share_inside(values, channel.range_top))
            if channel.is_time and n > 1:
                order = float(np.mean(np.diff(values) >= 0))
        return float(np.mean(inside)), order


def _share_inside(values: F64, top: float) -> float:
    sizes = np.abs(values)
    sensible = np.isfinite(values) & ((sizes == 0) | (sizes >= _SMALLEST_PLAUSIBLE))
    return float(np.mean(sensible & (sizes <= top) if top > 0 else sensible))


def _stands_out(first: float, second: float) -> int | None:
    if max(first, second) < _CONVINCING or abs(first - second) < _BEHIND:
        return None
    return 0 if first > second else 1
