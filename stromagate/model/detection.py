"""What may be said of a count, and the numbers of events on which it depends."""

from __future__ import annotations

from typing import Literal

CountState = Literal["not detected", "detected, not quantifiable", "quantifiable", "not evaluable"]

LOD_FLOOR_EVENTS = 20
"""Fewer events are not told from none. The two MRD assays compared in doi:10.1182/bloodadvances.2016003715 state 2 in
10 million and 6 in 3 million acquired events, which is 18 to 20 events in both."""

LLOQ_FLOOR_EVENTS = 50
"""Fewer events have a counting CV above 100 / sqrt(50) = 14 %; where that becomes too much is this program's choice."""
