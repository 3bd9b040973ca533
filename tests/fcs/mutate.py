"""Mutators: each takes a legal file and hurts it in one way. Same random state, same bytes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.fcs.assemble import assemble, plan_of
from tests.fcs.make_fcs import OTHER_FIELDS
from tests.fcs.seeds import Seed

Mutator = Callable[[random.Random, Seed, Sequence[Seed]], bytes]

STRANGE = (
    *("0", "1", "-1", "7", "8", "16", "24", "32", "64", "1000000000", "1e3", "+4", "1_0", " 8", "8 ", "", "x", "0x10"),
    *(
        "18446744073709551616",
        "9" * 30,
        "9" * 5000,
        "2147483648",
        "4294967296",
        "nan",
        "inf",
        "1.5",
        "٣",
        "*",
        "99999999",
    ),
)
ORDERS = ("1,2,3,4", "4,3,2,1", "1,2", "2,1", "3,4,1,2", "1", "1,2,3", "4,3,2", "1,1,1,1", "0,1,2,3", "little", "4321")


def mutated(name: str, rng: random.Random, seed: Seed, seeds: Sequence[Seed]) -> bytes:
    """Return the seed's file, hurt by the mutator of that name."""
    return MUTATORS[name](rng, seed, seeds)


def hdrfield(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Write another number into one field of HEADER."""
    at = 10 + 8 * rng.randrange(6)
    old = seed.whole[at : at + 8].strip()
    number = int(old) if old.isdigit() else 0
    near = [str(number + step) for step in (-100, -46, -8, -2, -1, 1, 2, 8, 46, 100)]
    new = rng.choice(
        [*near, *near, "0", "58", str(len(seed.whole)), str(len(seed.whole) - 1), "99999999", "", "x", "1e3"]
    )
    return seed.whole[:at] + new.rjust(8)[:8].encode() + seed.whole[at + 8 :]


def hdrpair(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Shift both ends of a segment in HEADER."""
    at, step = 10 + 16 * rng.randrange(3), rng.choice((-58, -8, -4, -2, -1, 1, 2, 4, 8, 58))
    fields = [int(seed.whole[place : place + 8].strip() or b"0") + step for place in (at, at + 8)]
    return seed.whole[:at] + b"".join(str(field).rjust(8)[:8].encode() for field in fields) + seed.whole[at + 16 :]


def hdrbyte(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Change one byte of HEADER."""
    return _poke(rng, seed.whole, 0, 58)


def version(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Announce another version."""
    new = rng.choice(("FCS2.0", "FCS3.0", "FCS3.1", "FCS3.2", "FCS1.0", "FCS4.0", "fcs3.0", "FCS3,1"))
    return new.encode() + seed.whole[6:]


def textbyte(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Change one byte of TEXT."""
    return _poke(rng, seed.whole, *_text_span(seed))


def textbytes(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Change up to eight bytes of TEXT."""
    whole = seed.whole
    for _ in range(rng.randint(2, 8)):
        whole = _poke(rng, whole, *_text_span(seed))
    return whole


def textinsert(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Insert bytes into TEXT, so that DATA no longer stands where it is said to."""
    at = rng.randrange(*_text_span(seed))
    new = rng.choice((rng.randbytes(rng.randint(1, 4)), seed.parts.delimiter.encode(), b" ", b"$", b"\0" * 3))
    return seed.whole[:at] + new + seed.whole[at:]


def textdelete(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Delete bytes of TEXT."""
    at = rng.randrange(*_text_span(seed))
    return seed.whole[:at] + seed.whole[at + rng.randint(1, 6) :]


def textmove(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Exchange two stretches of TEXT of one length."""
    begin, end = _text_span(seed)
    size = rng.randint(1, 12)
    first, second = sorted(rng.sample(range(begin, end - size), 2))
    if second - first < size:
        return seed.whole
    one, two = seed.whole[first : first + size], seed.whole[second : second + size]
    return seed.whole[:first] + two + seed.whole[first + size : second] + one + seed.whole[second + size :]


def delimiters(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Drop, double or replace one delimiter."""
    begin, end = _text_span(seed)
    mark = seed.parts.delimiter.encode()
    at = rng.choice([place for place in range(begin, end) if seed.whole[place : place + 1] == mark])
    new = rng.choice((b"", mark * 2, mark * 3, b" ", b"\0", bytes([rng.randrange(256)])))
    return seed.whole[:at] + new + seed.whole[at + 1 :]


def firstdelimiter(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Let TEXT begin with another byte."""
    begin, _ = _text_span(seed)
    new = rng.choice((b"$", b" ", b"\0", b"\x7f", b"\xff", b"1", bytes([rng.randrange(256)])))
    return seed.whole[:begin] + new + seed.whole[begin + 1 :]


def dupkey(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Say one keyword twice, with the same or another value, true offsets around it."""
    plan = plan_of(seed.parts)
    key, value = rng.choice([pair for pair in plan.text if pair[0].startswith("$")])
    other = rng.choice((value, value[::-1], *STRANGE[:12], *ORDERS[:2]))
    pair = (rng.choice((key, key.lower())), other if other and other[0] != plan.delimiter else "0")
    at = rng.randrange(len(plan.text) + 1)
    return assemble(replace(plan, text=(*plan.text[:at], pair, *plan.text[at:])))


def dropkey(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Leave one keyword out, true offsets around the gap."""
    plan = plan_of(seed.parts)
    gone = rng.choice([pair for pair in plan.text if pair[0].startswith("$")])
    return assemble(replace(plan, text=tuple(pair for pair in plan.text if pair != gone)))


def dataoff(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Let TEXT say other offsets of DATA than HEADER."""
    places = {key: int(value) for key, value in _said(seed).items() if key in ("$BEGINDATA", "$ENDDATA")}
    step = rng.choice((-100, -46, -8, -4, -2, -1, 1, 2, 4, 8, 46, 100))
    chosen = rng.choice((("$BEGINDATA",), ("$ENDDATA",), ("$BEGINDATA", "$ENDDATA")))
    lies = {key: str(places.get(key, 0) + step) for key in chosen}
    if rng.random() < 0.3:
        lies = {rng.choice(chosen): rng.choice(STRANGE)}
    return _replaced(seed, lies)


def otheroff(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Let TEXT say strange offsets of the other segments, or of a next data set."""
    key = rng.choice([key for key in OTHER_FIELDS if "DATA" not in key or key == "$NEXTDATA"])
    value = rng.choice((*STRANGE, "58", "100", str(len(seed.whole) - 1), str(len(seed.whole))))
    return _replaced(seed, {key: value})


def splice(rng: random.Random, seed: Seed, seeds: Sequence[Seed]) -> bytes:
    """Go on with another file."""
    other = rng.choice(seeds).whole
    at = rng.randrange(len(seed.whole))
    return seed.whole[:at] + other[rng.choice((at, rng.randrange(len(other)))) :]


def truncate(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Cut the end off."""
    at = rng.choice((rng.randrange(len(seed.whole)), len(seed.whole) - rng.randint(1, 20)))
    return seed.whole[:at]


def dataresize(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Make DATA longer or shorter and say its new offsets truly, but not ``$TOT``."""
    data = seed.parts.data
    stride = len(data) // max(len(seed.parts.columns[0]), 1)
    n_bytes = rng.choice((1, 2, 3, stride - 1, stride, stride + 1, 2 * stride, len(data) // 2))
    longer = data + rng.randbytes(n_bytes)
    return assemble(replace(plan_of(seed.parts), data=rng.choice((longer, data[:-n_bytes], data[n_bytes:]))))


def insert(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Insert bytes anywhere."""
    at = rng.randrange(len(seed.whole))
    return seed.whole[:at] + rng.choice((rng.randbytes(rng.randint(1, 40)), b" ", b"\n", b"\0")) + seed.whole[at:]


def delete(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Delete bytes anywhere."""
    at = rng.randrange(len(seed.whole))
    return seed.whole[:at] + seed.whole[at + rng.choice((1, 2, 8, rng.randint(1, 200))) :]


def repeat(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Repeat a stretch."""
    at, size = rng.randrange(len(seed.whole)), rng.randint(1, 64)
    return seed.whole[: at + size] + seed.whole[at:]


def anywhere(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Change bytes anywhere before DATA."""
    whole = seed.whole
    for _ in range(rng.randint(1, 16)):
        whole = _poke(rng, whole, 0, max(_text_span(seed)[1], 100))
    return whole


def overwrite(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Blank or zero a stretch, as a bad block of a disk does."""
    at, size = rng.randrange(len(seed.whole)), rng.choice((4, 16, 64, 512))
    stretch = seed.whole[at : at + size]
    return seed.whole[:at] + rng.choice((b"\0", b" ", b"\xff")) * len(stretch) + seed.whole[at + size :]


def newlines(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
    """Treat the file as text, as a careless transfer does."""
    old, new = rng.choice(((b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\0", b""), (b"\0", b" ")))
    return seed.whole.replace(old, new)


def _keyword(pattern: str, values: Sequence[str]) -> Mutator:
    """Return the mutator that gives one keyword a strange value: in place, or with all offsets made true again."""

    def mutator(rng: random.Random, seed: Seed, _seeds: Sequence[Seed]) -> bytes:
        keys = [key for key, _ in seed.parts.text if re.fullmatch(pattern, key, re.IGNORECASE)]
        if not keys:
            return truncate(rng, seed, _seeds)
        key = rng.choice(keys)
        value = rng.choice(values)
        old = dict(seed.parts.text)[key]
        if rng.random() < 0.3 and old.isdigit():
            value = str(max(int(old) + rng.choice((-2, -1, 1, 2, 8, 16)), 0))
        if rng.random() < 0.5:
            return _replaced(seed, {key: value})
        plan = plan_of(seed.parts)
        return assemble(replace(plan, text=tuple((k, value if k == key else v) for k, v in plan.text)))

    return mutator


def _replaced(seed: Seed, values: dict[str, str]) -> bytes:
    """Replace values in the bytes of TEXT; what follows moves when the lengths differ."""
    whole, mark = seed.whole, re.escape(seed.parts.delimiter.encode())
    for key, value in values.items():
        pattern = mark + re.escape(key.encode()) + mark + rb"(?:[^" + mark + rb"]|" + mark * 2 + rb")*" + mark
        delimiter = seed.parts.delimiter
        new = f"{delimiter}{key}{delimiter}{value.replace(delimiter, 2 * delimiter)}{delimiter}".encode()
        whole = re.sub(pattern, lambda _match, new=new: new, whole, count=1)  # type: ignore[misc]  # bound at once
    return whole


def _said(seed: Seed) -> dict[str, str]:
    return {key.upper(): value.strip() for key, value in seed.parts.text}


def _text_span(seed: Seed) -> tuple[int, int]:
    return int(seed.whole[10:18]), int(seed.whole[18:26]) + 1


def _poke(rng: random.Random, whole: bytes, begin: int, end: int) -> bytes:
    at = rng.randrange(begin, min(end, len(whole)))
    new = rng.choice((bytes([rng.randrange(256)]), bytes([whole[at] ^ (1 << rng.randrange(8))]), b"0", b"9", b" "))
    return whole[:at] + new + whole[at + 1 :]


MUTATORS: dict[str, Mutator] = {
    **{
        f"m_{mutator.__name__}": mutator
        for mutator in (
            *(hdrfield, hdrpair, hdrbyte, version, textbyte, textbytes, textinsert, textdelete, textmove, delimiters),
            *(firstdelimiter, dupkey, dropkey, dataoff, otheroff, splice, truncate, dataresize, insert, delete, repeat),
            *(anywhere, overwrite, newlines),
        )
    },
    "m_tot": _keyword(r"\$TOT", STRANGE),
    "m_par": _keyword(r"\$PAR", STRANGE),
    "m_pnb": _keyword(r"\$P\d+B", STRANGE),
    "m_pnr": _keyword(r"\$P\d+R", (*STRANGE, "1024", "1000", "65536", "256")),
    "m_pnn": _keyword(r"\$P\d+N", ("", " ", "Time", "FL1-H", "A,B", "x" * 300, "$P1N", "\0", "é", "A/B", "A//B")),
    "m_pne": _keyword(r"\$P\d+E", ("4,1", "4,0", "0,1", "-1,1", "nan,1", "4", "", "4;1", "1e999,1", "0,0,0", "0,0")),
    "m_datatype": _keyword(r"\$DATATYPE", (*"IFDAifdX", "", "II", "I ")),
    "m_byteord": _keyword(r"\$BYTEORD", ORDERS),
    "m_mode": _keyword(r"\$MODE", ("C", "U", "l", "", "X", "L ")),
    "m_timestep": _keyword(r"\$(TIMESTEP|P\d+G)", (*STRANGE, "0.01", "1e-8")),
}
