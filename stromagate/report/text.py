"""Foreign text made fit to be shown: in a page (where Jinja escapes it) and inside a drawing (where nothing does)."""

from __future__ import annotations

import unicodedata

MAX_PLOT_TEXT = 120

# Marks that turn the direction of writing around: they can make one name look like another.
_DIRECTION = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_BREAKS = {"\n", "\t"}


def page_text(text: str) -> str:
    """Return text without control characters, marks of direction and broken code points.

    Parameters
    ----------
    text : str
        Anything from a file, a template, a sheet or an error.

    Returns
    -------
    str
        NFC; tabs and line ends are kept, halves of surrogate pairs (undecodable bytes of file names) become U+FFFD.
        It is *not* escaped: that is the page's business, where it is done for every value.
    """
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", "".join(_shown(character) for character in text))


def plot_text(text: str, limit: int = MAX_PLOT_TEXT) -> str:
    """Return text that a drawing shows literally.

    plotly.js reads a subset of HTML (``<b>``, ``<a href>``) in every title and decodes entities *before* it looks for
    tags, so that escaping is not enough: angle brackets become look-alikes and ``&`` becomes an entity of its own.

    Parameters
    ----------
    text : str
        Anything from a file, a template or a sheet.
    limit : int, optional
        Characters that are kept.
    """
    flat = " ".join(page_text(text).split())
    cut = flat if len(flat) <= limit else flat[: limit - 1] + "…"
    return cut.replace("&", "&amp;").replace("<", "‹").replace(">", "›")


def _shown(character: str) -> str:
    code = ord(character)
    if character in _BREAKS:
        return character
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    hidden = code < 0x20 or 0x7F <= code < 0xA0 or code in _DIRECTION or code in {0x2028, 0x2029, 0xFEFF}
    return "" if hidden else character
