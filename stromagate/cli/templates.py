"""``templates``: the shelf of gating templates, read, explained and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, spare, speaking

app = typer.Typer(help="The shelf of gating templates: list, show, explain, check, new.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Shipped template, or path of a YAML file.", show_default=False)]


@app.command("list")
def list_(as_json: AsJson = False, debug: Debug = False) -> None:
    """List the shipped templates."""
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.template import load_template
        from stromagate.templates import library

        shelf = [load_template(name).template for name in library.names()]
        keys = ("name", "version", "status", "title")
        rows = [{key: getattr(template, key) for key in keys} for template in shelf]
        text = "\n".join(f"{row['name']:<24} {row['version']:<8} {row['status']:<14} {row['title']}" for row in rows)
        emit({"format": "stromagate.templates/1", "templates": rows}, text, as_json=as_json)


@app.command()
def show(name: Name, as_json: AsJson = False, debug: Debug = False) -> None:
    """Print a template as it is written."""
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.template import load_template
        from stromagate.templates import library

        loaded = load_template(name)
        document = loaded.template.model_dump(mode="json")
        emit({"template": document, "sha256": loaded.sha256}, library.text(name).rstrip(), as_json=as_json)


@app.command()
def explain(name: Name, as_json: AsJson = False, debug: Debug = False) -> None:
    """Say in plain sentences what a template keeps, gate by gate."""
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.template import load_template, sentences

        loaded = load_template(name)
        said = sentences(loaded)
        emit({"name": loaded.template.name, "sentences": said}, "\n".join(said), as_json=as_json)


@app.command()
def check(
    names: Annotated[list[str], typer.Argument(help="Templates: names or YAML files.", show_default=False)],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Check templates; every mistake is named with its line and the nearest valid word."""
    from stromagate.errors import DocumentError, StromagateError

    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.template import load_template

        faults: list[StromagateError] = []
        lines: list[str] = []
        for name in names:
            try:
                loaded = load_template(name)
                lines.append(f"{name}: right ({len(loaded.template.populations)} populations)")
            except StromagateError as error:
                faults.append(error)
                lines.append(str(error))
        if len(names) == 1 and faults:
            raise faults[0]
        data = {"checked": names, "faults": [fault.as_json() for fault in faults]}
        emit(data, "\n".join(lines), as_json=as_json, error=faults[0].as_json() if faults else None)
    if faults:
        raise typer.Exit(DocumentError.exit_code)


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="An FCS file of the panel.", show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it there instead of printing it.")] = None,
    source: Annotated[str | None, typer.Option("--from", help="Copy this shipped template instead.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Start a template from an FCS file: its markers, the first gates, and a proposal for each marker."""
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.bundle import write_file
        from stromagate.pipeline.starter import copy_for, starter, template_name

        name = template_name((out or file).stem)
        spare(out, "templates.exists", force=force)
        text = starter(file, name) if source is None else copy_for(file, name, source)
        if out is None:
            emit({"name": name, "template": text}, text.rstrip(), as_json=as_json)
        else:
            write_file(out, text.encode())
            emit({"name": name, "out": str(out)}, f"{out}: next, stromagate templates check {out}", as_json=as_json)


@app.command()
def schema(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it there instead of printing it.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Print the JSON Schema of templates, for editors."""
    with speaking(as_json=as_json, debug=debug):
        import json

        from stromagate.pipeline.bundle import write_file
        from stromagate.pipeline.template import method_params
        from stromagate.templates import json_schema

        document = json_schema(method_params())
        text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
        if out is None:
            emit({"schema": document}, text, as_json=as_json)
        else:
            write_file(out, f"{text}\n".encode())
            emit({"out": str(out)}, str(out), as_json=as_json)
