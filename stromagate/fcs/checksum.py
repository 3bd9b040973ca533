"""The CRC word behind the last segment; the standard leaves its start and notation open, so any common form counts."""

from __future__ import annotations

import binascii
import re

from stromagate.fcs.source import ByteSource

_WORD = re.compile(rb" *[0-9A-Fa-f]{1,8} *")
_CHUNK_BYTES = 2**20
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def stated_checksum(word: bytes) -> bool:
    """Say whether the eight bytes are a checksum at all; zeros mean that none was computed."""
    return bool(_WORD.fullmatch(word)) and bool(word.strip(b" 0"))


def matches(source: ByteSource, base: int, length: int, word: bytes) -> bool:
    """Compare the CRC-16 (CCITT, x^16 + x^12 + x^5 + 1) of ``length`` bytes from ``base`` with the stated word.

    Accepted: bits reversed or not, register started at 0 or 0xFFFF, inverted or not, decimal or hexadecimal.
    """
    plain, turned = [0, 0xFFFF], [0, 0xFFFF]
    for begin in range(0, length, _CHUNK_BYTES):
        chunk = source.at(base + begin, min(_CHUNK_BYTES, length - begin))
        reverse = chunk.translate(_REVERSED)
        plain = [binascii.crc_hqx(chunk, value) for value in plain]
        turned = [binascii.crc_hqx(reverse, value) for value in turned]
    sums = {*plain, *(int(f"{value:016b}"[::-1], 2) for value in turned)}
    sums |= {value ^ 0xFFFF for value in sums}
    text = word.decode("ascii").strip()
    said = {int(text, 16)} | ({int(text, 10)} if text.isdigit() else set())
    return bool(said & sums)
