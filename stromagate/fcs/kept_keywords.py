"""What a scrubbed copy keeps of a file's keywords: those known to say how numbers are meant, in the shape they have.

Everything else is removed, whatever it is called: what nobody thought of cannot be kept by mistake. A keyword on the
list whose value has another shape is removed too, because then it holds something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from stromagate.fcs.numbers import BLANK
from stromagate.fcs.spillover import parse_spillover

_NUMBER = r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?"
_NUMBERS = rf"{_NUMBER}(?: ?, ?{_NUMBER}){{0,9}}"
_DETECTOR = r"[A-Za-z]{1,4}\d{0,2}(?:-[AHW])?"
_YES_NO = r"(?i:true|false|yes|no|on|off)"

# Names as the reader gives them, in capitals, and the whole of what their values may look like.
_SHAPES: Final = tuple(
    (re.compile(names), re.compile(shape))
    for names, shape in (
        (r"\$P\d+[BRGVLOP]|P\d+(?:BS|MS)|FLOWCORE_\$P\d+RM(?:AX|IN)", _NUMBERS),
        (r"\$P\d+E", rf"{_NUMBER} ?, ?{_NUMBER}"),
        (r"\$P\d+F", r"(?:[A-Z]{2} ?)?\d{2,4}(?:[/-]\d{1,4})?(?: ?(?:nm|[A-Z]{2}))?"),
        (r"\$P\d+T", r"(?i:pmt|apd|pd|photo ?diode|photo ?multiplier(?: tube)?|sipm)"),
        (r"\$P\d+D", rf"(?i:linear|logarithmic),{_NUMBER},{_NUMBER}"),
        (r"\$P\d+CALIBRATION", rf"{_NUMBER},(?:{_NUMBER},)?(?i:mef|mesf|abc|erf|molecules|nm|um)"),
        (r"\$P\d+DATATYPE", r"[IFD]"),
        (r"\$P\d+TYPE", r"(?i:(?:forward|side) scatter|(?:raw|unmixed) fluorescence|mass|time|index|event ?count)"),
        (r"\$P\d+FEATURE", r"(?i:area|height|width)"),
        (r"P\d+DISPLAY", r"(?i:lin|log)"),
        (r"\$TIMESTEP|\$VOL|\$ABRT|TIMETICKS|FSC ASF|WINDOW EXTENSION|LASER\d+(?:ASF|DELAY)|FCSVERSION", _NUMBER),
        (r"\$LOST|\$DFC\d+TO\d+", _NUMBER),
        (r"\$TR|THRESHOLD", rf"{_DETECTOR}, ?{_NUMBER}"),
        (r"LASER\d+NAME", r"(?i:red|violet|blue|green|yellow ?green|yellow|uv|ultra ?violet|ir|infra ?red|\d{3} ?nm)"),
        (r"APPLY COMPENSATION|AUTOBS", _YES_NO),
        (r"TRANSFORMATION", r"applied|custom"),
        (r"STROMAGATE_SIMULATED", r"yes|stroma"),
        (r"STROMAGATE_PREPARATION", r"[a-z0-9]{1,10}(?:_[a-z0-9]{1,12})?"),
    )
)
_MATRIX: Final = re.compile(r"\$?SPILL(?:OVER)?|\$?COMP")
_OF_CHANNEL: Final = re.compile(r"\$?P(\d{1,6})[A-Z]+|FLOWCORE_\$P(\d{1,6})RM(?:AX|IN)")

FREE_TEXT: Final = re.compile(r"\$CYT|\$P\d+[NS]")
"""Kept although people write it: the cytometer, and the names and labels of channels."""


def is_kept(name: str, value: str, channels: Sequence[str]) -> bool:
    """Say whether a keyword is on the list and its value has the shape it should.

    Parameters
    ----------
    name, value : str
        One keyword, its name in capitals.
    channels : sequence of str
        ``$PnN`` of every channel, which a matrix may name.
    """
    said = value.strip(BLANK)
    place = _OF_CHANNEL.fullmatch(name)
    if not said or (place and not 1 <= int(place.group(1) or place.group(2)) <= len(channels)):
        return False
    if FREE_TEXT.fullmatch(name):
        return True
    if _MATRIX.fullmatch(name):
        return parse_spillover({name: said}, channels).status in {"ok", "unit"}
    return any(names.fullmatch(name) and shape.fullmatch(said) for names, shape in _SHAPES)
