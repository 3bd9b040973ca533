"""What FlowJo calls things, as the run has them: its paths of populations, and its samples."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from stromagate.errors import UsageError, did_you_mean
from stromagate.model.gates import ROOT
from stromagate.model.result import SampleResult
from stromagate.pipeline.compare.flowjo_table import FlowJoColumn, FlowJoRow, FlowJoTable


def map_paths(columns: Sequence[FlowJoColumn], results: Sequence[SampleResult], maps: Sequence[str]) -> dict[str, str]:
    """Return which population each path of the table is.

    Where the last parts of two paths are one population, neither is taken: a map has to say which.

    Raises
    ------
    UsageError
        A map without ``=``, or of a path or a population that is not there.
    """
    names = population_names(results)
    labels = {name: each.labels_of_populations.get(name, name) for each in results for name in names}
    known = {_folded(labels.get(name, name)): name for name in names} | {_folded(name): name for name in names}
    paths = list(dict.fromkeys(column.path for column in columns))
    told = _told(maps, paths, names)
    guessed = {path: known.get(_folded(path.rpartition("/")[2])) if path else ROOT for path in paths}
    chosen = dict(told)
    for path, name in guessed.items():
        alike = [other for other, its in guessed.items() if its == name and other not in told]
        if name is not None and path not in told and name not in told.values() and len(alike) == 1:
            chosen[path] = name
    return {path: chosen[path] for path in paths if path in chosen}


def is_called(result: SampleResult, population: str, path: str, populations: Mapping[str, str]) -> bool:
    """Say whether a path of FlowJo's is a population of ours; parents need no column of their own."""
    if not path or path in populations:
        return populations.get(path, ROOT) == population
    label = result.labels_of_populations.get(population, population)
    return _folded(path.rpartition("/")[2]) in {_folded(population), _folded(label)}


def named_samples(table: FlowJoTable, results: Sequence[SampleResult]) -> list[tuple[FlowJoRow, SampleResult]]:
    """Return the rows whose name is that of one tube's file, or of the tube, with or without its ending."""
    return [(row, found) for row in table.rows if (found := _tube(row.sample, results)) is not None]


def _told(maps: Sequence[str], paths: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    told: dict[str, str] = {}
    for text in maps:
        path, sign, name = (part.strip() for part in text.rpartition("="))
        if not sign or not path or not name:
            raise UsageError("compare.map", f"'{text}' is no map", hint="--map 'FlowJo path=population'")
        if name not in names:
            raise UsageError(
                "compare.map", f"the run has no population '{name}'", where=text, hint=did_you_mean(name, names)
            )
        wanted = path.casefold().strip("/")
        whole = [each for each in paths if each.casefold() == wanted]
        found = whole or [each for each in paths if each.rpartition("/")[2].strip().casefold() == wanted]
        if len(found) != 1:
            several = "several populations of the table end in" if found else "the table has no population"
            hint = "give the whole path: " + ", ".join(found) if found else did_you_mean(path, paths)
            raise UsageError("compare.map", f"{several} '{path}'", where=text, hint=hint)
        told[found[0]] = name
    return told


def _tube(sample: str, results: Sequence[SampleResult]) -> SampleResult | None:
    by_file = [each for each in results if _bare(each.source.path) == _bare(sample)]
    found = by_file or [each for each in results if each.sample_id.casefold() == _bare(sample)]
    return found[0] if len(found) == 1 else None


def _bare(path: str) -> str:
    """Return a file's name without folders and without ``.fcs``."""
    return re.split(r"[/\\]", path.strip())[-1].casefold().removesuffix(".fcs")


def population_names(results: Sequence[SampleResult]) -> list[str]:
    """Return the populations of a run in the order of its trees, all events first."""
    return list(dict.fromkeys([ROOT, *(node.name for each in results for node in each.tree.nodes)]))


def _folded(text: str) -> str:
    return re.sub(r"[\s_]+", "", text).casefold()
