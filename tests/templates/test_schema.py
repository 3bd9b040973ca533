"""The JSON Schema for editors is the one the models make, and agrees with the loader."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest

from stromagate.gating.method import methods
from stromagate.pipeline.template import method_params
from stromagate.templates import json_schema, library
from stromagate.templates.yaml_tree import read_tree
from tests.reference_data import ROOT

FILE = ROOT / "gating_templates" / "schema" / "template.schema.json"


def test_the_file_is_not_stale() -> None:
    text = json.dumps(json_schema(method_params()), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    assert FILE.read_text(encoding="utf-8") == text, (
        "run: stromagate templates schema --out gating_templates/schema/template.schema.json"
    )


def test_a_gate_is_one_of_the_methods() -> None:
    schema = json_schema(method_params())
    branches = [branch["$ref"].rpartition("/")[2] for branch in schema["$defs"]["GateSpec"]["oneOf"]]
    assert branches == [f"gate_{name}" for name in methods.names()]
    for name, branch in zip(methods.names(), branches, strict=True):
        gate = schema["$defs"][branch]
        assert gate["properties"]["method"]["const"] == name
        assert "method" in gate["required"]
        assert gate["additionalProperties"] is False


def test_every_reference_leads_somewhere() -> None:
    schema = json_schema(method_params())
    for reference in _references(schema):
        assert reference.removeprefix("#/$defs/") in schema["$defs"]


def test_every_word_is_described() -> None:
    definitions = json_schema(method_params())["$defs"]
    for name, definition in definitions.items():
        for key, field in definition.get("properties", {}).items():
            assert field.get("description"), (name, key)


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for item in value.values() for found in _references(item)]
    return [found for item in value for found in _references(item)] if isinstance(value, list) else []


@cache
def _validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads(FILE.read_text(encoding="utf-8")))
    validator.check_schema(validator.schema)
    return validator


@pytest.mark.parametrize("name", library.names())
def test_shipped_templates_are_valid_by_the_schema(name: str) -> None:
    validator = _validator()
    document = read_tree(library.path(name).read_bytes()).value
    assert not list(validator.iter_errors(document))
    for change in ({"status": "certain"}, {"extra": 1}, {"populations": []}):
        assert list(validator.iter_errors({**document, **change})), change
    for key, value in (("method", "guess"), ("kep", "below")):
        broken = copy.deepcopy(document)
        broken["populations"][-1]["gate"][key] = value
        assert list(validator.iter_errors(broken)), key
