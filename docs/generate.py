"""Writes ``docs/reference/``: the pages of commands, templates, methods, checks, sections and exporters.

All of them are made of the declarations that the program itself goes by, so that none can be forgotten or be out of
date. What is declared without a word is a gap: ``gaps`` names it, and the pages are then not made.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from stromagate.cli.app import app
from stromagate.export.exporter import Exporter, exporters
from stromagate.gating.method import methods
from stromagate.qc.check import checks
from stromagate.qc.run_check import run_checks
from stromagate.report.section import in_order
from stromagate.templates.schema import json_schema

FOLDER = Path(__file__).parent / "reference"
_STAGES = {
    "file": "the file", "compensation": "compensation", "acquisition": "acquisition", "gating": "gating",
    "result": "the result",
}  # fmt: skip
_PARTS = {
    "GatingTemplate": "The whole template",
    "PanelSpec": "`panel`",
    "ScaleSpec": "`scales`",
    "SourceNote": "`sources`",
    "PopulationSpec": "`populations`",
    "Expectation": "`expectations`",
    "Readout": "`readouts`",
    "ReadoutRow": "`rows` of a read-out",
    "ReadoutWarning": "`warnings` of a read-out",
    "Strata": "`strata` of a read-out's row",
}


class Pages:
    """The pages being made, and what is missing of them."""

    def __init__(self) -> None:
        self.text: dict[str, str] = {}
        self.gaps: list[str] = []

    def told(self, words: str | None, what: str) -> str:
        """Return words in one line; without any, note the gap."""
        line = " ".join((words or "").split())
        if not line:
            self.gaps.append(what)
        return line


def build() -> Pages:
    """Return all pages by the name of their file, and the gaps in them."""
    pages = Pages()
    schema = json_schema({name: method.params for name, method in methods.all().items()})
    for name, title, introduction, parts in (
        ("commands", "Commands", "What `stromagate VERB --help` says, verb by verb.", _commands(pages)),
        ("template_fields", "Template fields", _FIELDS, _template_fields(pages, schema)),
        ("gating_methods", "Gating methods", _METHODS, _gating_methods(pages, schema)),
        ("checks", "Checks", _CHECKS, _checks(pages)),
        ("report_sections", "Report sections", "The sections of a tube's page, from top to bottom.", _sections(pages)),
        ("exporters", "Exporters", "The files that a run writes for other programs.", _exporters(pages)),
    ):
        pages.text[f"{name}.md"] = "\n\n".join([f"# {title}", introduction, *parts]) + "\n"
    return pages


def write(folder: Path = FOLDER) -> None:
    """Write all pages into a folder; those that would not change are left alone.

    Raises
    ------
    ValueError
        Something is declared without a word about it; every such thing is named.
    """
    pages = build()
    if pages.gaps:
        raise ValueError("declared without a word about it: " + "; ".join(pages.gaps))
    folder.mkdir(exist_ok=True)
    for name, text in pages.text.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


_FIELDS = (
    "Every key of a template, part by part. A gate takes the keys of its method: see [](gating_methods.md). How one is "
    "written from the first line on is told in [](../templates.md)."
)
_METHODS = (
    "A method proposes a boundary from the events of the parent population. Each takes the keys below beside `method`, "
    "and `otherwise`: what is tried where it finds no boundary."
)
_CHECKS = (
    "Every check answers with `pass`, `warn`, `fail` or `not applicable`; one that could not be made is never counted "
    "as passed. The limits are those by default."
)


def _commands(pages: Pages) -> Iterator[str]:
    for words, command in leaves(typer.main.get_command(app), ("stromagate",)):
        called = " ".join(words)
        yield f"## {called}"
        yield _paragraphs(command.help) if pages.told(command.help, f"the command `{called}`") else ""
        context = typer.Context(command, info_name=called)
        yield "```text\n" + " ".join([called, *command.collect_usage_pieces(context)]) + "\n```"
        rows = []
        for each in command.params:
            if not getattr(each, "hidden", False):
                pages.told(getattr(each, "help", None), f"`{each.opts[0]}` of `{called}`")
                option, meaning = each.get_help_record(context)
                rows.append([_code(_plain(option)), _cell(_plain(meaning))])
        yield _table(["option or input", "meaning"], rows)


def _plain(text: str) -> str:
    """Return a line of a help text without the names of Python's types."""
    for python, word in ((r"<list\[(\w+)\]>", r"<\1>"), ("<(path|Path)>", "PATH"), ("<str>", "TEXT")):
        text = re.sub(python, word, text)
    return re.sub(r"<(int|float)( range)?>", "NUMBER", text)


def leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something, with the words that call it."""
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    for name, each in inner.items():
        yield from leaves(each, (*words, name))
    if not inner:
        yield words, command


def _template_fields(pages: Pages, schema: Mapping[str, Any]) -> Iterator[str]:
    parts = {"GatingTemplate": schema, **schema["$defs"]}
    own = [name for name in parts if not name.startswith(("gate_", "otherwise_", "GateSpec", "Fallback"))]
    for name in sorted(own, key=lambda part: (list(_PARTS).index(part) if part in _PARTS else len(_PARTS), part)):
        if name not in _PARTS:
            pages.gaps.append(f"the part `{name}` of a template")
        yield f"## {_PARTS.get(name, name)}"
        yield _paragraphs(pages.told(parts[name].get("description"), f"the part `{name}` of a template"))
        yield _fields(pages, parts[name], schema, f"of a template's {name}")


def _gating_methods(pages: Pages, schema: Mapping[str, Any]) -> Iterator[str]:
    definitions = schema["$defs"]
    for name, method in methods.all().items():
        yield f"## {name}"
        yield pages.told(method.summary, f"the gating method `{name}`")
        yield _module(method.fit)
        own = definitions[f"gate_{name}"]
        yield _fields(pages, own, schema, f"of the gating method `{name}`", left_out=("method", "otherwise"))
        for part in (each for each in definitions if each.startswith(f"gate_{name}_")):
            inner = part.removeprefix(f"gate_{name}_")
            yield f"### {name}: {inner}"
            yield _paragraphs(definitions[part].get("description", ""))
            yield _fields(pages, definitions[part], schema, f"of `{inner}` of the gating method `{name}`")


def _checks(pages: Pages) -> Iterator[str]:
    yield "## Checks of a tube"
    for name, check in sorted(checks.all().items(), key=lambda item: item[1].code):
        yield from _check(pages, name, check)
        words = [f"A fault it finds lies at: {_STAGES[check.stage]}."]
        if check.not_of_controls:
            words.append(f"A control is not judged: {check.not_of_controls}.")
        yield " ".join(words)
    yield "## Checks of a run"
    for name, run_check in sorted(run_checks.all().items(), key=lambda item: item[1].code):
        yield from _check(pages, name, run_check)


def _check(pages: Pages, name: str, check: Any) -> Iterator[str]:
    yield f"### {check.code}: {pages.told(check.title, f'the title of the check `{name}`')}"
    pages.told(_module(check.run), f"the check `{name}`")
    yield _module(check.run)
    # The bad side is declared where there are two limits; of one the words above tell it.
    two = None not in (check.warn, check.fail)
    side = ("under" if check.fail < check.warn else "above") if two else "at"
    limits = [
        f"{word} {side} {limit:,.15g} {check.unit}"
        for word, limit in (("`warn`", check.warn), ("`fail`", check.fail))
        if limit is not None
    ]
    yield f"Limits: {', '.join(limits)}." if limits else ""


def _sections(pages: Pages) -> Iterator[str]:
    for name, section in in_order():
        yield f"## {pages.told(section.title, f'the title of the section `{name}`')}"
        pages.told(section.summary or _module(section.build), f"the section `{name}`")
        yield _module(section.build)
        yield f"> {section.summary}" if section.summary else ""


def _exporters(pages: Pages) -> Iterator[str]:
    rows = [
        [_code(name), _code(each.filename), _cell(pages.told(each.summary, f"the exporter `{name}`")), _written(each)]
        for name, each in exporters.all().items()
    ]
    yield _table(["name", "file", "what it is", "written"], rows)
    yield "What `--export` is given, and what other programs make of these files, stands in [](../exports.md)."


def _written(exporter: Exporter) -> str:
    of = "of each tube" if exporter.a_tube else "of the run"
    return f"{of}, where `--export` asks for it" if exporter.asked else f"{of}, always"


def _fields(
    pages: Pages, part: Mapping[str, Any], schema: Mapping[str, Any], of: str, left_out: tuple[str, ...] = ()
) -> str:
    """Return the table of one part's keys: name, what is allowed, default, meaning."""
    rows = []
    for key, field in part.get("properties", {}).items():
        if key in left_out:
            continue
        # A key that is a part of its own is described there.
        words = field.get("description") or schema["$defs"].get(field.get("$ref", "")[8:], {}).get("description")
        needed = "needed" if key in part.get("required", ()) else _default(field)
        rows.append([_code(key), _cell(allowed(field)), needed, _cell(pages.told(words, f"the field `{key}` {of}"))])
    return _table(["key", "allowed", "where empty", "meaning"], rows) if rows else "It takes no keys of its own."


def _default(field: Mapping[str, Any]) -> str:
    value = field.get("default")
    if value is None or value == "" or isinstance(value, list | dict):
        return ""
    return _code({True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value))


def allowed(field: Mapping[str, Any]) -> str:
    """Return in words what a field of a JSON Schema takes."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return {"GateSpec": "a gate", "Fallback": "a gate"}.get(
            name
        ) or f"see {_PARTS.get(name, name.rpartition('_')[2])}"
    if "const" in field or "enum" in field:
        return " or ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    for several in ("anyOf", "oneOf"):
        if several in field:
            return " or ".join(dict.fromkeys(allowed(each) for each in field[several]))
    kind = field.get("type")
    if kind == "array":
        inner = field.get("items") or {"anyOf": field.get("prefixItems", [{}])}
        return f"a list of: {allowed(inner)}"
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"names, each with: {allowed(inner)}" if isinstance(inner, dict) else "a set of `key: value` lines"
    words = {"string": "text", "number": "a number", "integer": "a whole number", "boolean": "`true` or `false`"}
    return words.get(str(kind), "nothing (`null`)" if kind == "null" else "any value") + _range(field)


def _range(field: Mapping[str, Any]) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    said = [f"{word} {field[key]:g}" for key, word in words.items() if key in field]
    return f" {' '.join(said)}" if said else ""


def _module(member: Any) -> str:
    """Return what the module says that a function stands in."""
    module = inspect.getmodule(member)
    return _paragraphs(inspect.getdoc(module) if module else "")


def _paragraphs(text: str | None) -> str:
    """Return a docstring as Markdown: its code in single marks, its lines as they are."""
    return re.sub(r"``([^`]+)``", r"`\1`", (text or "").strip())


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _cell(text: str) -> str:
    return " ".join(_paragraphs(text).split()).replace("|", "\\|").replace("<", "&lt;")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
