"""From members to numbers with denominators, intervals and states."""

from __future__ import annotations

from stromagate.quantify.counts import SHARE_INTERVALS as SHARE_INTERVALS
from stromagate.quantify.counts import statistics as statistics
