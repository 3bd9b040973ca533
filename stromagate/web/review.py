"""The run under review: its results, what readers did to it, and its tubes as far as their files are at hand."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stromagate.errors import StromagateError, UsageError
from stromagate.model.edits import SampleEdits
from stromagate.model.gates import Geometry
from stromagate.model.result import RunIndex, SampleResult
from stromagate.pipeline.bundle import read_results, read_run
from stromagate.pipeline.review.files import FileFinder
from stromagate.pipeline.review.signoff import SignOff
from stromagate.pipeline.review.store import ReviewStore
from stromagate.pipeline.review.tubes import TubeShelf
from stromagate.web.jobs import Jobs


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of a run, all of one moment."""

    run: RunIndex
    results: dict[str, SampleResult]
    aliases: dict[str, str]

    def result(self, called: str) -> SampleResult:
        """Return a tube's result by what the pages call it.

        Raises
        ------
        UsageError
            There is no such tube.
        """
        found = self.results.get(self.aliases.get(called, ""))
        if found is None:
            raise UsageError("review.no_tube", f"there is no tube “{called}”", hint="go back to the grid")
        return found

    def called(self, sample_id: str) -> str:
        """Return what the pages call a tube: its name, or its number where readers are blinded."""
        return next(alias for alias, name in self.aliases.items() if name == sample_id)


@dataclass(slots=True)
class Review:
    """Everything the pages are made of. ``reader`` is who sits before it; ``blind`` hides which tube is whose."""

    folder: Path
    reader: str
    files: FileFinder
    blind: bool = False
    store: ReviewStore = field(init=False)
    signoff: SignOff = field(init=False)
    shelf: TubeShelf = field(init=False)
    jobs: Jobs = field(init=False)
    _seen: Seen = field(init=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        """Read the run."""
        self.store = ReviewStore(self.folder)
        if self.blind:
            self._must_be_alone()
        self.signoff = SignOff(self.store)
        self.shelf = TubeShelf(self.folder, self.files)
        self.jobs = Jobs()
        self.reload()

    def _must_be_alone(self) -> None:
        """Refuse to blind a reader in a folder where another one has worked: what that one did would show."""
        others = sorted({entry.who for entry in self.store.audit()} - {self.reader})
        if others:
            raise UsageError(
                "review.blind",
                f"{', '.join(others)} worked in this folder, and a blinded reader would see what came of it",
                where=str(self.folder),
                hint="give each reader a copy of the run, and compare them: stromagate agree DIR DIR",
            )

    def reload(self) -> None:
        """Read the run anew, as after it was run again."""
        run = read_run(self.folder)
        results = {result.sample_id: result for result in read_results(self.folder, run)}
        with self._guard:
            self._seen = Seen(run, results, _aliases(list(results), blind=self.blind))

    @property
    def seen(self) -> Seen:
        """What was read last."""
        with self._guard:
            return self._seen

    def unnamed(self, text: str) -> str:
        """Return a sentence with a blinded reader's numbers in place of the names of tubes and of their files."""
        if not self.blind:
            return text
        seen = self.seen
        numbers = {name: alias for alias, name in seen.aliases.items()}
        for entry in seen.run.samples:
            numbers.setdefault(entry.sample_id, "a tube")  # one that failed has no number
            numbers[entry.file] = numbers[entry.sample_id]
        for name in sorted(filter(None, numbers), key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", numbers[name], text)
        return text

    def refusal(self, error: StromagateError) -> dict[str, str | None]:
        """Return an error as the reader may read it."""
        return {key: value and self.unnamed(value) for key, value in error.as_json().items()}

    def edits_of(self, sample_id: str) -> SampleEdits | None:
        """Return a tube's edits as they stand in the review."""
        return self.store.of(sample_id)

    def boundaries(self, result: SampleResult, edits: SampleEdits | None) -> dict[str, Geometry | None]:
        """Return every boundary of a tube as readers have it now: edited, else as it was fitted."""
        fitted = self.store.fitted(result.sample_id).boundaries
        return dict(fitted) | ({edit.population: edit.geometry for edit in edits.edits} if edits else {})


def _aliases(names: Sequence[str], *, blind: bool) -> dict[str, str]:
    """Return the tubes by what they are called; blinded ones by a number that says nothing of their order."""
    if not blind:
        return {name: name for name in names}
    shuffled = sorted(names)
    random.Random("stromagate blinded review").shuffle(shuffled)
    width = len(str(len(shuffled)))
    return {f"tube-{number:0{width}d}": name for number, name in enumerate(shuffled, start=1)}
