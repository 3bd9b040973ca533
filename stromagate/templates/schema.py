"""The JSON Schema of templates, made from the models, for editors that complete and check while one types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stromagate.model.template import TEMPLATE_FORMAT, GateParams, GatingTemplate
from stromagate.templates.gates import INHERITED

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(method_params: Mapping[str, type[GateParams]]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a template.

    Parameters
    ----------
    method_params : mapping of str to type of GateParams
        Parameter model of every gating method, by the method's name; a gate is one of these.

    Returns
    -------
    dict
        Plain values, in the same order every time.
    """
    schema = GatingTemplate.model_json_schema()
    definitions = schema["$defs"]
    described = definitions["GateSpec"]["description"]
    otherwise = definitions["GateSpec"]["properties"]["otherwise"]["description"]
    fallback = [{"enum": sorted(method_params)}, {"$ref": "#/$defs/Fallback"}, {"type": "null"}]
    chained = {"otherwise": {"anyOf": fallback, "default": None, "description": otherwise}}
    gates, fallbacks = [], []
    for method in sorted(method_params):
        title = f"gate_{method}"
        definitions |= _gate(method, title, method_params[method], chained)
        inherits = {**definitions[title], "title": f"otherwise_{method}"}
        inherits["required"] = [key for key in inherits["required"] if key not in INHERITED]
        definitions[inherits["title"]] = inherits
        gates.append({"$ref": f"#/$defs/{title}"})
        fallbacks.append({"$ref": f"#/$defs/{inherits['title']}"})
    definitions["GateSpec"] = {"title": "Gate", "description": described, "oneOf": gates}
    definitions["Fallback"] = {"title": "Fallback", "description": otherwise, "oneOf": fallbacks}
    return {"$schema": _DIALECT, "$id": f"urn:{TEMPLATE_FORMAT.replace('/', ':')}", **schema}


def _gate(method: str, title: str, params: type[GateParams], chained: dict[str, Any]) -> dict[str, Any]:
    """Return the definition of one method's gate, and those that its parameters lean on under names of their own."""
    own = params.model_json_schema(ref_template=f"#/$defs/{title}_{{model}}")
    leaned_on = own.pop("$defs", {})
    own["title"] = title
    named = {"const": method, "description": "Gating method."}
    own["properties"] = {"method": named, **own.get("properties", {}), **chained}
    own["required"] = ["method", *own.get("required", [])]
    return {title: own, **{f"{title}_{name}": schema for name, schema in leaned_on.items()}}
