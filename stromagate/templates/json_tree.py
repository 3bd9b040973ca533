"""JSON as plain values, and what is wrong with its text: what Python's reader lets pass in silence is a fault here."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from stromagate.errors import Problem

_WHOLE = "document"


def read_json(data: bytes) -> tuple[Any, list[Problem]]:
    """Read one JSON document.

    Parameters
    ----------
    data : bytes
        UTF-8, with or without a byte order mark.

    Returns
    -------
    object, list of Problem
        Plain values, and everything that is wrong with the text: no JSON at all, a key twice in one object (the first
        would be lost), a number that is none (NaN, Infinity). The values count only where nothing is wrong.
    """
    faults: list[Problem] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice = sorted(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        faults.extend(Problem(None, key, f"the key `{key}` stands twice in one object") for key in twice)
        return dict(pairs)

    def no_number(text: str) -> None:
        faults.append(Problem(None, _WHOLE, f"{text} in it is not a number", "write null where there is no value"))

    value = None
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=once, parse_constant=no_number)
    except RecursionError:
        faults.append(Problem(None, _WHOLE, "it is nested too deep"))
    except UnicodeDecodeError as cause:
        faults.append(Problem(None, _WHOLE, f"byte {cause.start} is not UTF-8", "save the file as UTF-8"))
    except json.JSONDecodeError as cause:
        faults.append(Problem(cause.lineno, _WHOLE, f"it is not JSON: {cause.msg}", f"look at column {cause.colno}"))
    except ValueError:  # a whole number of thousands of digits
        faults.append(Problem(None, _WHOLE, "a number in it is too long"))
    return value, faults
