"""How numbers stand in a DATA segment, one value at a time: the slow and plain counterpart of the reader's decoder."""

from __future__ import annotations

import struct
from collections.abc import Sequence

Number = int | float


def mask_of(top: int, bits: int) -> int:
    """Return the bits a stored integer may use: the next power of two at or above ``$PnR``, less one."""
    return min((1 << (top - 1).bit_length()) - 1, (1 << bits) - 1)


def byte_order(byteord: str, n_bytes: int) -> list[int]:
    """Return, for each byte of a word as it stands in the file, its significance (0 = least)."""
    order = [int(digit) - 1 for digit in byteord.split(",")]
    if order == sorted(order):
        return list(range(n_bytes))
    if order == sorted(order, reverse=True):
        return list(range(n_bytes))[::-1]
    if len(order) != n_bytes:
        message = f"byte order {byteord} does not fit a word of {n_bytes} bytes"
        raise ValueError(message)
    return order


def encode(value: Number, kind: str, bits: int, byteord: str) -> bytes:
    """Return the bytes of one stored value; integers may carry bits above the mask, floats may be given as bits.

    In ASCII data the width counts characters.
    """
    if kind == "A":
        return str(value).rjust(bits).encode()
    n_bytes = bits // 8
    if kind == "I" or isinstance(value, int):
        little = int(value).to_bytes(n_bytes, "little")
    else:
        little = struct.pack("<f" if kind == "F" else "<d", value)
    return bytes(little[place] for place in byte_order(byteord, n_bytes))


def decode(word: bytes, kind: str, byteord: str, top: int = 0) -> int:
    """Return one stored value: masked for an integer, the bit pattern for a float."""
    if kind == "A":
        return int(word)
    little = bytearray(len(word))
    for position, place in enumerate(byte_order(byteord, len(word))):
        little[place] = word[position]
    value = int.from_bytes(little, "little")
    return value & mask_of(top, 8 * len(word)) if kind == "I" else value


def float_of(pattern: int, bits: int) -> float:
    """Return the float that a bit pattern stands for."""
    if bits == 32:
        return float(struct.unpack("<f", pattern.to_bytes(4, "little"))[0])
    return float(struct.unpack("<d", pattern.to_bytes(8, "little"))[0])


def crc16(data: Sequence[int]) -> int:
    """Return the CCITT checksum (x16 + x12 + x5 + 1, bits reversed) of bytes."""
    register = 0
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0x8408 if register & 1 else register >> 1
    return register
