"""Any legal data set there can be, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.fcs.make_fcs import Column, Keyword, Spec

DELIMITERS = "+?([.^|\\*/!,;:~\x0c\x1e\x01\t\n\r@&%'\""
ORDERS = {8: ("1",), 16: ("1,2", "2,1"), 24: ("1,2,3", "3,2,1"), 32: ("3,4,1,2", "2,1,4,3"), 64: ("8,7,6,5,4,3,2,1",)}
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
ASCII = st.characters(min_codepoint=33, max_codepoint=126)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Draw a version, a type, an order, widths, ranges, names, keywords and a layout that go together."""
    version = draw(st.sampled_from(("2.0", "3.0", "3.1", "3.2")))
    delimiter = draw(st.sampled_from(DELIMITERS))
    kind = draw(st.sampled_from("IFD"))
    n_columns, n_events = draw(st.integers(1, 6)), draw(st.integers(0, 8))
    uniform = draw(st.sampled_from((8, 16, 24, 32, 40, 48, 56, 64))) if draw(st.booleans()) else None
    names = draw(_names(version, delimiter, n_columns))
    columns = tuple(draw(_column(version, kind, uniform, name, n_events)) for name in names)
    return Spec(
        columns,
        version=version,
        datatype=kind,
        byteord=draw(_byte_order(version, columns, kind)),
        delimiter=delimiter,
        extra=draw(_keywords(version, delimiter)),
        **draw(_layout(version, delimiter)),
    )


def _words(version: str, delimiter: str) -> st.SearchStrategy[str]:
    letters = LETTERS if version in ("3.1", "3.2") else ASCII
    inside = st.text(letters, min_size=1, max_size=12)
    return inside.filter(lambda word: not word.startswith(delimiter))


def _names(version: str, delimiter: str, n_columns: int) -> st.SearchStrategy[list[str]]:
    # Versions 3.1 and 3.2 forbid the comma in names, because $SPILLOVER lists them.
    words = _words(version, delimiter).filter(lambda word: "," not in word)
    return st.lists(words, min_size=n_columns, max_size=n_columns, unique_by=str.casefold)


@st.composite
def _column(draw: st.DrawFn, version: str, kind: str, uniform: int | None, name: str, n_events: int) -> Column:
    own = draw(st.sampled_from((None, "I", "F", "D"))) if version == "3.2" else None
    of_kind = own or kind
    if of_kind == "I":
        bits = uniform or draw(st.sampled_from((8, 16, 24, 32, 40, 48, 56, 64)))
        top = draw(st.integers(1, 1 << bits) | st.sampled_from([1 << n for n in range(bits + 1)]))
    else:
        bits = 32 if of_kind == "F" else 64
        top = draw(st.integers(1, 1 << 20))
    values = draw(st.lists(st.integers(0, (1 << bits) - 1), min_size=n_events, max_size=n_events))
    label = draw(st.none() | st.sampled_from(("CD146", "CD271 PE")))
    return Column(name, tuple(values), bits, str(top), kind=own, pns=label)


def _byte_order(version: str, columns: tuple[Column, ...], kind: str) -> st.SearchStrategy[str]:
    orders = ["1,2,3,4", "4,3,2,1"]
    widths = {column.bits for column in columns}
    if version in ("2.0", "3.0") and len(widths) == 1 and not (kind == "F" and widths != {32}):
        orders += ORDERS.get(widths.pop(), ())
    return st.sampled_from(orders)


@st.composite
def _keywords(draw: st.DrawFn, version: str, delimiter: str) -> tuple[Keyword, ...]:
    words = _words(version, delimiter)
    ascii_words = st.text(ASCII, min_size=1, max_size=8).filter(lambda word: not word.startswith((delimiter, "$")))
    keys = ascii_words | st.sampled_from(("TOT", "PAR", "P1R", "P1N", "P1B", "BYTEORD", "DATATYPE", "$COM", "$OP"))
    pairs = draw(st.lists(st.tuples(keys, words), max_size=5, unique_by=lambda pair: pair[0].upper()))
    # One with the delimiter and a $ within reads as if it had swallowed a standard keyword.
    return tuple(
        (key, value) for key, value in pairs if not key.startswith(delimiter) and not {delimiter, "$"} <= {*key}
    )


@st.composite
def _layout(draw: st.DrawFn, version: str, delimiter: str) -> dict[str, object]:
    layout: dict[str, object] = {
        "order": draw(st.sampled_from((("text", "stext", "data", "analysis"), ("data", "analysis", "stext", "text")))),
        "gap": draw(st.sampled_from((0, 0, 1, 100))),
        "rename": draw(st.sampled_from((str, str.lower, str.title))),
        "analysis": draw(st.none() | st.binary(min_size=1, max_size=30)),
    }
    if version != "2.0":
        noted = (("A NOTE", "in the supplement"), ("$CELLS", "marrow"))
        layout["stext"] = draw(st.sampled_from((None, noted)))
        layout["crc"] = draw(st.sampled_from((None, 0)))
    return layout
