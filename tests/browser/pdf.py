"""What stands on the sheets of a PDF that Chromium wrote: enough of the format for that, and no more.

Skia writes plain objects, pages in their order, deflated content, and fonts whose glyphs a ToUnicode table names.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_MM = 72 / 25.4
Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Glyphs:
    """Text that one operator shows, where it begins (millimetres from the left and the top), its size in points."""

    text: str
    x: float
    y: float
    size_pt: float


@dataclass(frozen=True)
class Sheet:
    width_mm: float
    height_mm: float
    glyphs: tuple[Glyphs, ...]

    @property
    def text(self) -> str:
        return "".join(each.text for each in self.glyphs)

    @property
    def squeezed(self) -> str:
        """Text without any white space: where a line breaks is the browser's business."""
        return "".join(self.text.split())


class Pdf:
    def __init__(self, content: bytes) -> None:
        self.content = content
        found = re.finditer(rb"(?<![\d])(\d+) 0 obj\b(.*?)endobj", content, re.DOTALL)
        self.objects = {int(one.group(1)): one.group(2) for one in found}

    @cached_property
    def sheets(self) -> list[Sheet]:
        return [self._sheet(body) for body in self.objects.values() if re.search(rb"/Type /Page\b", body)]

    @property
    def text(self) -> str:
        return "".join(sheet.squeezed for sheet in self.sheets)

    @property
    def addresses(self) -> list[str]:
        return [uri.decode() for uri in re.findall(rb"/URI \((.*?)\)>>", self.content)]

    @property
    def n_images(self) -> int:
        return sum(b"/Subtype /Image" in body for body in self.objects.values())

    def _sheet(self, body: bytes) -> Sheet:
        box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", body)
        assert box
        width, height = (float(side) / _MM for side in box.groups())
        fonts = {name: self._letters(int(number)) for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", body)}
        (contents,) = re.findall(rb"/Contents (\d+) 0 R", body)
        return Sheet(width, height, tuple(_shown(self._stream(int(contents)), fonts, height)))

    def _stream(self, number: int) -> bytes:
        body = self.objects[number]
        start = body.index(b"stream") + len(b"stream")
        return zlib.decompressobj().decompress(body[start:].lstrip(b"\r\n"))

    def _letters(self, number: int) -> dict[int, str]:
        font = self.objects[number]
        (table,) = re.findall(rb"/ToUnicode (\d+) 0 R", font) or [None]
        return {} if table is None else _unicode(self._stream(int(table)))


def _unicode(table: bytes) -> dict[int, str]:
    letters: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, text in re.findall(rb"<(\w+)> <(\w+)>", block):
            letters[int(glyph, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, text in re.findall(rb"<(\w+)> <(\w+)> <(\w+)>", block):
            for offset in range(int(last, 16) - int(first, 16) + 1):
                letters[int(first, 16) + offset] = chr(int(text, 16) + offset)
    return letters


def _times(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


_TOKEN = re.compile(rb"<[\da-fA-F]*>|<<.*?>>|/[^\s/\[\]<>()]+|-?[\d.]+|[A-Za-z*']+|[\[\]]")


def _shown(content: bytes, fonts: dict[bytes, dict[int, str]], height_mm: float) -> Iterator[Glyphs]:
    """Yield what the operators of one sheet show; turned text (axis titles) begins where it begins."""
    now: Matrix = (1, 0, 0, 1, 0, 0)
    line: Matrix = now
    kept: list[Matrix] = []
    letters: dict[int, str] = {}
    size = 0.0
    operands: list[bytes] = []
    for token in _TOKEN.findall(content):
        if not token[:1].isalpha():
            operands.append(token)
            continue
        if token == b"q":
            kept.append(now)
        elif token == b"Q":
            now = kept.pop()
        elif token == b"cm":
            now = _times(_matrix(operands), now)
        elif token == b"Tf":
            letters, size = fonts[operands[-2].lstrip(b"/")], float(operands[-1])
        elif token == b"Tm":
            line = _matrix(operands)
        elif token == b"Td":
            line = _times((1, 0, 0, 1, float(operands[-2]), float(operands[-1])), line)
        elif token == b"Tj":
            codes = operands[-1].strip(b"<>")
            text = "".join(letters.get(int(codes[i : i + 4], 16), "\ufffd") for i in range(0, len(codes), 4))
            at = _times(line, now)
            yield Glyphs(text, at[4] / _MM, height_mm - at[5] / _MM, size * math.hypot(at[0], at[1]))
        operands.clear()


def _matrix(operands: list[bytes]) -> Matrix:
    a, b, c, d, e, f = (float(number) for number in operands[-6:])
    return (a, b, c, d, e, f)
