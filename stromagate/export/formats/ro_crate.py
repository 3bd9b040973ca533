"""``ro-crate-metadata.json``: what the files of a run are and what made them, as a Process Run Crate 0.5.

The folder of a run becomes the crate: RO-Crate 1.1 (DOI 10.3233/DS-210053) with one action for the run and one for
every tube that failed, as the profile has it. FCS files lie elsewhere and stand in it by name and hash.
Who ran it, and under which licence its results may be used, nobody told this program: it says so, and a person adds it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from stromagate.export.asked import names_of_tube
from stromagate.export.exporter import Exporter, exporters
from stromagate.model.result import RESEARCH_USE, RunIndex, SampleEntry, SampleResult

Entity = dict[str, Any]
_CRATE, _PROFILE = "https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/wfrun/process/0.5"
_CONTEXT = [f"{_CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
_FILE = "ro-crate-metadata.json"
_PROGRAM, _RUN, _TEMPLATE = "#stromagate", "#run", "#template"
_ENCODINGS = {
    "clr": "text/csv",
    "csv": "text/csv",
    "h5ad": "application/x-hdf5",
    "html": "text/html",
    "js": "text/javascript",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "txt": "text/plain",
    "xml": "application/xml",
}
_CHANGES_LATER = frozenset({"run.json"})  # pages that could not be printed are noted in it when all else is written
_LICENCE = "None is stated: ask whoever made this run, or name one here."


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the crate of tubes alone, as if nothing else were known of their run: it lacks the date it should have."""
    entries = [
        SampleEntry(
            sample_id=result.sample_id,
            file=result.source.path,
            status=result.verdict,
            labels=result.labels,
            sha256=result.source.sha256,
        )
        for result in results
    ]
    return _written(_graph(entries, results, {}, {}, results[0].record.stromagate if results else ""))


def of_folder(run: RunIndex, results: Sequence[SampleResult], files: Mapping[str, bytes]) -> bytes:
    """Return the crate of a run.

    Parameters
    ----------
    run : RunIndex
        What became of each tube, and when.
    results : sequence of SampleResult
        Those that have a result.
    files : mapping of str to bytes
        The files of the run but those of its tubes, by their path in the folder.
    """
    return _written(_graph(run.samples, results, files, run.times, run.stromagate, run.exports, run.not_exported))


def _written(graph: list[Entity]) -> bytes:
    return (json.dumps({"@context": _CONTEXT, "@graph": graph}, indent=1, ensure_ascii=True) + "\n").encode()


def _graph(
    entries: Sequence[SampleEntry],
    results: Sequence[SampleResult],
    files: Mapping[str, bytes],
    times: Mapping[str, str],
    version: str,
    asked: Sequence[str] = (),
    missing: Collection[str] = (),
) -> list[Entity]:
    listed = [_file(path, files[path]) for path in sorted(files) if path != _FILE]
    folders = [_folder(result, asked, missing) for result in results]
    parts = [_ref(each["@id"]) for each in (*listed, *(folder for folder, _ in folders))]
    used = [entry for entry in entries if entry.status != "failed"]
    failed = [_failed(entry) for entry in entries if entry.status == "failed"]
    template = [_template(results[0])] if results else []
    action = _run(results, times) | {
        "object": [*(_ref(_name(entry)) for entry in used), *(_ref(each["@id"]) for each in template)],
        "result": parts,
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": _ref(_PROFILE),
        "name": "Results of a run of stromagate",
        "description": f"Counts of rare stroma in bone marrow by flow cytometry. {RESEARCH_USE}",
        "license": _LICENCE,
        **({"datePublished": times["ended"]} if "ended" in times else {}),
        "hasPart": parts,
        "mentions": [_ref(each["@id"]) for each in (action, *failed)],
    }
    program = {"@id": _PROGRAM, "@type": "SoftwareApplication", "name": "stromagate", "softwareVersion": version}
    profile = {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    itself = {"@id": _FILE, "@type": "CreativeWork", "conformsTo": _ref(_CRATE), "about": _ref("./")}
    inside = [each for folder, several in folders for each in (folder, *several)]
    return [itself, root, profile, program, *template, action, *failed, *map(_input, entries), *listed, *inside]


def _ref(name: str) -> dict[str, str]:
    return {"@id": name}


def _file(path: str, content: bytes | None = None) -> Entity:
    """Describe a file of the crate; ``@id`` is its path as a URI."""
    name = path.rpartition("/")[2]
    summaries = {each.filename: each.summary for each in exporters.all().values()}
    entity: Entity = {"@id": quote(path), "@type": "File", "name": name}
    if name in summaries:
        entity["description"] = summaries[name]
    if encoding := _ENCODINGS.get(name.rpartition(".")[2]):
        entity["encodingFormat"] = encoding
    if content is not None and path not in _CHANGES_LATER:
        entity |= {"contentSize": str(len(content)), "sha256": hashlib.sha256(content).hexdigest()}
    return entity


def _folder(result: SampleResult, asked: Sequence[str], missing: Collection[str]) -> tuple[Entity, list[Entity]]:
    """Return the folder of a tube and its files."""
    home = f"samples/{result.sample_id}/"
    names = ("result.json", "report.html", "populations.csv", *names_of_tube(asked))
    inside = [_file(home + name) for name in names if home + name not in missing]
    entity = {"@id": quote(home), "@type": "Dataset", "name": result.sample_id}
    return entity | {"hasPart": [_ref(each["@id"]) for each in inside]}, inside


def _name(entry: SampleEntry) -> str:
    return f"#fcs-{quote(entry.sample_id)}"


def _input(entry: SampleEntry) -> Entity:
    """Describe an FCS file, which is no part of the crate."""
    role = entry.labels.get("role", "").strip() or "stained"
    entity = {"@id": _name(entry), "@type": "CreativeWork", "name": entry.file}
    entity["description"] = f"FCS file, {role}; not part of this folder"
    return entity | ({"sha256": entry.sha256} if entry.sha256 else {})


def _template(result: SampleResult) -> Entity:
    template = result.template
    return {
        "@id": _TEMPLATE,
        "@type": "CreativeWork",
        "name": f"{template.name} {template.version}",
        "description": template.title,
        "sha256": template.sha256,
    }


def _run(results: Sequence[SampleResult], times: Mapping[str, str]) -> Entity:
    config = results[0].record.config if results else None
    said = f"confidence {config.confidence}, interval {config.interval}, seed {config.seed}" if config else "no results"
    entity: Entity = {
        "@id": _RUN,
        "@type": "CreateAction",
        "name": "Gate tubes by a template and count",
        "description": f"Settings: {said}; all of them stand in run.json.",
        "instrument": _ref(_PROGRAM),
        "actionStatus": _ref("http://schema.org/CompletedActionStatus"),
    }
    return entity | {key: times[of] for key, of in (("startTime", "started"), ("endTime", "ended")) if of in times}


def _failed(entry: SampleEntry) -> Entity:
    error = entry.error or {}
    return {
        "@id": f"#failed-{quote(entry.sample_id)}",
        "@type": "CreateAction",
        "name": f"Gate {entry.sample_id}",
        "instrument": _ref(_PROGRAM),
        "object": _ref(_name(entry)),
        "actionStatus": _ref("http://schema.org/FailedActionStatus"),
        "error": error.get("message") or "not analysed",
    }


EXPORTER = Exporter(
    filename=_FILE,
    summary="what the files of the folder are and what made them, as RO-Crate (Process Run Crate 0.5)",
    render=render,
    of_folder=of_folder,
    asked=True,
    at_top=True,
)
