"""What a run was given beside its tubes, found again by content: template, matrix, panel, locks, blanks, calibration.

A run keeps names and hashes, never places. They are looked for in the folders that were named, then beside the run and
in the folder that one stands in; a hash decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from stromagate.errors import InputError, StromagateError
from stromagate.fcs import hash_file
from stromagate.model.config import RunConfig
from stromagate.model.pattern import CalibrationRef
from stromagate.model.result import RunIndex, SampleResult, TemplateRef
from stromagate.model.specimen import is_stained
from stromagate.pipeline.calibrate import read_calibration
from stromagate.pipeline.template import load_template
from stromagate.templates import LoadedTemplate

_YAML = frozenset({".yaml", ".yml"})
_LARGEST = 50_000_000
_HISTORY = "history.jsonl"
_HINT = "name the folder it lies in: --files FOLDER"


@dataclass(frozen=True, slots=True)
class Places:
    """Where files are looked for: in named folders and all below them, beside the run, and in the folders beside it.

    Attributes
    ----------
    run : path
        Folder of results.
    folders : sequence of path
        Named by the user.
    """

    run: Path
    folders: Sequence[Path] = ()

    def files(self, suffixes: frozenset[str]) -> Iterator[Path]:
        """Yield the files with one of these endings, nearest first, each once."""
        seen: set[Path] = set()
        for path in self._all():
            if path.suffix.casefold() in suffixes and path not in seen and path.is_file():
                seen.add(path)
                yield path

    def template(self, wanted: TemplateRef) -> LoadedTemplate:
        """Return the template that a run was made with.

        Raises
        ------
        InputError
            It is not at hand: the shipped one of that name is another by now, and no file has its content.
        """
        sources: Iterator[str | Path] = chain([wanted.name], self.files(_YAML))  # folders are searched only if need be
        for source in sources:
            try:
                loaded = load_template(source)
            except StromagateError:  # another document, or a template that this version does not take
                continue
            if loaded.sha256 == wanted.sha256:
                return loaded
        raise InputError(
            "review.template",
            f"the template of this run is not at hand: '{wanted.name}' {wanted.version} ({wanted.sha256[:12]})",
            where=str(self.run),
            hint=_HINT,
        )

    def config(self, run: RunIndex) -> RunConfig:
        """Return a run's configuration with the files it names at their places; without its edits.

        Raises
        ------
        InputError
            A file is not at hand.
        """
        config = run.config.without_edits()
        found = {option: self._named(option, config, sha256) for option, sha256 in config.file_sha256.items()}
        return config.model_copy(update={**found, "file_sha256": {}})

    def calibration(self, wanted: CalibrationRef | None) -> Path | None:
        """Return the file that patterns were called by; None where none was.

        Raises
        ------
        InputError
            It is not at hand: without it the patterns would be taken back.
        """
        if wanted is None:
            return None
        for path in self.files(frozenset({".json"})):
            try:
                if path.stat().st_size <= _LARGEST and read_calibration(path).digest == wanted.sha256:
                    return path
            except (StromagateError, OSError):
                continue
        raise InputError(
            "review.calibration",
            f"what this run's patterns were called by is not at hand: '{wanted.name}' ({wanted.sha256[:12]})",
            where=str(self.run),
            hint=_HINT,
        )

    def history(self, results: Sequence[SampleResult]) -> Path:
        """Return the folder of earlier runs that a run was charted over: the one that holds its tubes.

        Raises
        ------
        InputError
            It is not at hand: without it the charts and their findings would be lost.
        """
        stained = {result.source.sha256 for result in results if is_stained(result.labels)}
        for path in self._all():
            if path.name == _HISTORY and path.is_file() and stained <= _tubes_in(path):
                return path.parent
        raise InputError(
            "review.history",
            "the history that this run was charted over is not at hand",
            where=str(self.run),
            hint=_HINT,
        )

    def _named(self, option: str, config: RunConfig, sha256: str) -> str:
        name = Path(str(getattr(config, option))).name
        for path in self._all():
            if path.name == name and path.is_file() and hash_file(path) == sha256:
                return str(path)
        raise InputError(
            "review.companion",
            f"the file {name} of --{option.replace('_', '-').removesuffix('-file')} ({sha256[:12]}) is not at hand",
            where=str(self.run),
            hint=_HINT,
        )

    def _all(self) -> Iterator[Path]:
        for folder in self.folders:
            if folder.is_file():
                yield folder
            yield from (path for path in sorted(folder.rglob("*")) if self.run not in path.parents)
        here = self.run.resolve().parent
        yield from sorted(here.iterdir())
        for neighbour in sorted(here.iterdir()):
            if neighbour.is_dir() and neighbour != self.run.resolve():
                yield from sorted(_inside(neighbour))


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # not ours to read
        return []


def _tubes_in(path: Path) -> set[str | None]:
    """Return the content hashes of all tubes of a history."""
    try:
        runs = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return {tube["sha256"] for run in runs for tube in run["tubes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
