"""How much a file may ask for before it is refused: every count is held against these and against the file's size."""

from __future__ import annotations

HEADER_BYTES = 58
MAX_TEXT_BYTES = 16 * 2**20
MAX_KEYWORDS = 100_000
MAX_VALUE_BYTES = 8 * 2**20
MAX_CHANNELS = 100_000
MAX_DATASETS = 1_000
MAX_DATA_BYTES = 8 * 10**9
MAX_EVENTS = 50_000_000
# The HEADER's eight digits end here; segments beyond are named in TEXT alone.
LAST_HEADER_BYTE = 99_999_999
