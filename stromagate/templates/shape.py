"""Plain values checked against a document model, and pydantic's findings said in words for people."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stromagate.errors import nearest
from stromagate.templates.faults import Fault, Place

Model = TypeVar("Model", bound=BaseModel)

_WANTED = {
    "string_type": "text",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "none_required": "null",
    "finite_number": "a finite number",
    "dict_type": "a set of `key: value` lines",
    "model_type": "a set of `key: value` lines",
    "model_attributes_type": "a set of `key: value` lines",
}
_PATTERNS = {
    r"^[A-Za-z][A-Za-z0-9_]*$": "a name of letters, digits and _ that starts with a letter",
    r"^\d+\.\d+\.\d+$": "a version such as 1.0.0",
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$": "a time with its zone, such as 2026-03-01T18:00:00Z",
    r"^[0-9a-f]{64}$": "a SHA-256: 64 digits and letters a to f",
}


def checked(model: type[Model], value: Any, at: Place = ()) -> tuple[Model | None, list[Fault]]:
    """Check a value.

    Parameters
    ----------
    model : type of BaseModel
        What the value should be.
    value : plain value
        As the document has it.
    at : place
        Where the value stands in the document.

    Returns
    -------
    model or None, list of Fault
        The typed value, or None and everything that is wrong with it.
    """
    try:
        # Strict, so that true is no number and 5 is no text; as JSON, so that lists may become tuples.
        return model.model_validate_json(json.dumps(value), strict=True), []
    except ValidationError as caught:
        return None, _faults(model, value, caught.errors(include_url=False), at)


def _faults(model: type[BaseModel], value: Any, errors: list[ErrorDetails], at: Place) -> list[Fault]:
    wanted: dict[Place, list[str]] = {}
    faults: list[Fault] = []
    for error in errors:
        place, shown = _real_place(error, value)
        kind = error["type"]
        if kind == "extra_forbidden":
            faults.append(_unknown_key(model, value, place, at))
        elif kind == "missing":
            hint = _keys_hint(model, place, _value_at(value, place[:-1]))
            faults.append(Fault((*at, *place), f"`{place[-1]}` is missing", hint))
        elif kind == "too_short" and isinstance(shown, list) and len(shown) >= error.get("ctx", {})["min_length"]:
            continue  # it is long enough: pydantic leaves out the items that have a fault of their own
        elif kind == "value_error":
            faults.append(Fault((*at, *place), str(error["msg"]).removeprefix("Value error, ")))
        elif (expected := _expectation(error, shown)) not in wanted.setdefault(place, []):
            wanted[place].append(expected)
    for place, expected_words in wanted.items():
        shown = _value_at(value, place)
        message = f"must be {' or '.join(expected_words)}, not {_shown(shown)}"
        faults.append(Fault((*at, *place), message, _value_hint(expected_words, shown)))
    return faults


def _real_place(error: ErrorDetails, value: Any) -> tuple[Place, Any]:
    """Drop the steps that pydantic adds for the branches of a union: they are not in the document."""
    place: list[str | int] = []
    here = value
    location = error["loc"]
    for position, step in enumerate(location):
        in_list = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if in_list or (isinstance(here, dict) and step in here):
            here = here[step]
        elif not (error["type"] == "missing" and position == len(location) - 1):
            continue
        place.append(step)
    return tuple(place), here


def _value_at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _expectation(error: ErrorDetails, shown: Any) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "literal_error":
        return str(context["expected"])
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context["pattern"]), f"text like {context['pattern']}")
    if kind in {"too_short", "too_long"}:
        limit, most = context.get("min_length", context.get("max_length")), kind == "too_long"
        n = len(shown) if isinstance(shown, list | dict) else context.get("actual_length")
        return f"a list of at {'most' if most else 'least'} {limit} (it has {n})"
    if kind in _WANTED:
        return _WANTED[kind]
    if kind == "string_too_short" and not str(shown).strip():
        return "filled in"
    said = str(error["msg"])
    said = re.sub(r"^(Input|String|List|Tuple|Value) should (be |have )?", "", said)
    return said[:1].lower() + said[1:]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a set of `key: value` lines"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "empty"}[value]
    text = str(value)
    if not text.strip():
        return "empty"
    text = f"{text[:40]}..." if len(text) > 43 else text
    return f"the text '{text}'" if isinstance(value, str) else text


def _value_hint(wanted: list[str], value: Any) -> str | None:
    if isinstance(value, str) and "a list" in wanted:
        return f"write [{value}]"
    if isinstance(value, str):
        choices = [word for text in wanted for word in re.findall(r"'([^']*)'", text)]
        close = nearest(value, choices) if choices else None
        return f"did you mean '{close}'?" if close else None
    if "text" in wanted and isinstance(value, int | float):
        return "quote it"
    if "a list" in wanted and value is not None and not isinstance(value, dict):
        return f"write [{value}]"
    return None


def _unknown_key(model: type[BaseModel], value: Any, place: Place, at: Place) -> Fault:
    key = str(place[-1])
    siblings = _value_at(value, place[:-1])
    allowed = list(_fields(model, place[:-1], siblings))
    free = [name for name in allowed if name not in siblings]
    close = nearest(key, free) or nearest(key, allowed)
    listed = f"allowed: {', '.join(allowed)}" if allowed else None
    hint = f"did you mean `{close}`? {listed}" if close else listed
    return Fault((*at, *place), f"unknown key `{key}`", hint)


def _keys_hint(model: type[BaseModel], place: Place, siblings: Any) -> str | None:
    field = _fields(model, place[:-1], siblings).get(str(place[-1]))
    return field.description if field is not None else None


def _fields(model: type[BaseModel], place: Place, siblings: Any) -> Mapping[str, Any]:
    """Return the fields of the model that stands at a place of the document; empty where none does.

    Of several it is the one whose fixed words are those that stand there, such as a cut's `rule`.
    """
    found: list[Any] = [model]
    for step in place:
        found = [inner for annotation in found for inner in _inside(annotation, step)]
    models = [each for each in found if isinstance(each, type) and issubclass(each, BaseModel)]
    meant = [each for each in models if _has_words(each, siblings)]
    return next((each.model_fields for each in (*meant, *models)), {})


def _has_words(model: type[BaseModel], given: Any) -> bool:
    """Say whether nothing that is given differs from the one word that a model has at that key."""
    words = {name: typing.get_args(field.annotation) for name, field in model.model_fields.items()}
    return isinstance(given, dict) and all(
        given[name] == allowed[0]
        for name, allowed in words.items()
        if name in given and len(allowed) == 1 and isinstance(allowed[0], str)
    )


def _inside(annotation: Any, step: str | int) -> list[Any]:
    """Return what one step into a value of this type may lead to, unions unfolded."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(step))
        return _unfolded(field.annotation) if field else []
    arguments = [argument for argument in typing.get_args(annotation) if argument is not Ellipsis]
    if typing.get_origin(annotation) in {dict, tuple, list} and arguments:
        inner = arguments[step] if isinstance(step, int) and step < len(arguments) > 1 else arguments[-1]
        return _unfolded(inner)
    return []


def _unfolded(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Annotated:
        return _unfolded(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return [inner for part in typing.get_args(annotation) for inner in _unfolded(part)]
    return [annotation]
