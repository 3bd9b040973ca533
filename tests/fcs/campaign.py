"""The mutation campaign: hurt files by the thousand, read each, and judge the reading. Runs as a process of its own.

A reading of a mutant is acceptable when it is a clean refusal, the events of the unhurt file, or the strict reading of
the mutant itself (then the damage is another legal file, and nobody could tell). Names that the damage took away and
that are replaced by place, with a remark, are what the quirk table asks for. Other events with a repair named are
counted; other events in silence, foreign exceptions, hangs and big allocations are what must never be.
"""

from __future__ import annotations

import json
import random
import re
import resource
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Literal

from stromagate.errors import InputError
from stromagate.fcs import read_fcs, read_raw
from stromagate.model.sample import Policy, RawEvents, Sample
from tests.fcs.mutate import MUTATORS, mutated
from tests.fcs.readings import Columns, bits
from tests.fcs.rewrites import REWRITES, rewritten
from tests.fcs.scale_truth import same_scale, scaled
from tests.fcs.seeds import Seed, all_seeds
from tests.fcs.strict_decoder import NotStrictError, Parts, take_apart

HANG_S = 5
MEMORY_BYTES = 64 << 20
ADDRESS_SPACE_BYTES = 4 << 30
MOST_EXAMPLES = 20

Verdict = Literal[
    "unhurt",
    "invented names",
    "strict reading",
    "refused",
    "refused though legal",
    "warned wrong",
    "silently wrong",
    "foreign",
    "hang",
]
NEVER: tuple[Verdict, ...] = ("silently wrong", "foreign", "hang")


class HangError(BaseException):
    """The reader did not come back; no handler of the reader's may catch this."""


@dataclass
class Figures:
    """What a campaign found."""

    verdicts: Counter[str] = field(default_factory=Counter)
    by_mutator: dict[str, Counter[str]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    rewrites: int = 0
    rewrites_refused: int = 0
    memory: int = 0
    seeds: int = 0

    def note(self, mutator: str, verdict: str, detail: str) -> None:
        """Count one mutant, and keep the first bad ones."""
        self.verdicts[verdict] += 1
        self.by_mutator.setdefault(mutator, Counter())[verdict] += 1
        if verdict in (*NEVER, "refused though legal") and len(self.examples) < MOST_EXAMPLES:
            self.examples.append(detail)


def run(first: int, last: int, policy: Policy) -> Figures:
    """Read the mutants of these numbers and return the figures."""
    figures, seeds = Figures(), all_seeds()
    figures.seeds = len(seeds)
    signal.signal(signal.SIGALRM, _ring)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutant.fcs"
        for seed in seeds:  # loads what is loaded once, and shows that every seed can be read
            assert _judge(path, seed.whole, seed, policy)[0] == "unhurt", seed.name
        for number in range(first, last):
            _one(number, path, seeds, policy, figures)
    return figures


def mutant(number: int, seeds: tuple[Seed, ...]) -> tuple[str, Seed, bytes]:
    """Return the name of the mutator, the seed and the bytes of mutant ``number``: always the same."""
    rng = random.Random(f"stroma-{number}")
    seed = rng.choice(seeds)
    name = rng.choice([*MUTATORS, *REWRITES])
    if name in REWRITES:
        return name, seed, rewritten(name, rng, seed)
    return name, seed, mutated(name, rng, seed, seeds)


def _one(number: int, path: Path, seeds: tuple[Seed, ...], policy: Policy, figures: Figures) -> None:
    name, seed, data = mutant(number, seeds)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verdict, detail = _judge(path, data, seed, policy)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    label = f"mutant {number}, {name} of {seed.name}: {verdict}: {detail}"
    if grown > MEMORY_BYTES + 8 * len(data):
        figures.memory += 1
        figures.examples.append(f"{label}: {grown} bytes")
    if name in REWRITES:
        figures.rewrites += 1
        if verdict != "unhurt":
            figures.rewrites_refused += 1
            figures.examples.append(label)
        return
    figures.note(name, verdict, label)


def _judge(path: Path, data: bytes, seed: Seed, policy: Policy) -> tuple[Verdict, str]:
    path.write_bytes(data)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        raw = read_raw(path, policy=policy)
        sample = read_fcs(path, policy=policy)
    except InputError as error:
        return _judge_refusal(data, error)
    except HangError:
        return "hang", ""
    except Exception as error:  # noqa: BLE001  (whatever else comes out is what the campaign looks for)
        return "foreign", f"{type(error).__name__}: {error}"[:300]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if raw.names != sample.pnn or len(raw.columns) != sample.events.shape[1]:
        return "silently wrong", "the two doors of the reader differ"
    return _judge_events(data, seed, raw, sample)


def _judge_events(data: bytes, seed: Seed, raw: RawEvents, sample: Sample) -> tuple[Verdict, str]:
    seen = raw.names, tuple(bits(column) for column in raw.columns)
    codes = sorted({repair.code for repair in sample.repairs})
    unhurt = seen == (seed.parts.names, seed.parts.columns)
    if codes and unhurt:
        return "unhurt", ""
    if codes and seen[1] == seed.parts.columns and _invented(raw.names, seed.parts.names, codes):
        return "invented names", ""
    wrong: Verdict = "warned wrong" if codes else "silently wrong"
    try:
        strict = take_apart(data)
        faults = _faults(strict, seen, sample)
    except NotStrictError as reason:
        return wrong, f"not strict: {reason}; repairs {codes}"
    if faults:
        return wrong, f"other {faults} than by strict reading; repairs {codes}"
    return ("unhurt" if unhurt else "strict reading"), ""


def _invented(seen: tuple[str, ...], true: tuple[str, ...], codes: list[str]) -> bool:
    """Tell whether all names that are not the seed's were made up by place, or made unique, and that was said."""
    by_place, unique = "names.missing" in codes, "names.duplicate" in codes
    return len(seen) == len(true) and all(
        name == other or (by_place and name == f"P{n}") or (unique and re.sub(r"-[0-9]+$", "", name) in seen)
        for n, (name, other) in enumerate(zip(seen, true, strict=True), start=1)
    )


def _faults(strict: Parts, seen: tuple[tuple[str, ...], Columns], sample: Sample) -> list[str]:
    """Name what was read otherwise than the only legal reading of the file."""
    said = {key.upper(): value.strip() for key, value in (*strict.text, *strict.stext)}
    labels = [said.get(f"$P{n}S", "") for n in range(1, len(strict.names) + 1)]
    is_time = [channel.is_time for channel in sample.channels]
    same = {
        "names": seen[0] == strict.names,
        "values": seen[1] == strict.columns,
        "labels": [channel.pns for channel in sample.channels] == labels,
        "keywords": {key: value.strip() for key, value in sample.keywords.items()} == said,
    }
    faults = [name for name, right in same.items() if not right]
    if "values" not in faults and not same_scale(sample.events, scaled(strict, is_time)):
        faults.append("scale values")
    return faults


def _judge_refusal(data: bytes, error: InputError) -> tuple[Verdict, str]:
    if error.code == "fcs.offsets.ambiguous":
        return "refused", error.code  # DATA moved, and HEADER alone still fits by accident: doubt is better than trust
    try:
        take_apart(data)
    except NotStrictError:
        return "refused", error.code
    return "refused though legal", f"{error.code}: {error.message}"


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise HangError


def main(first: int, last: int, policy: Policy) -> None:
    """Run under a limit of memory and print the figures as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    print(json.dumps(vars(run(first, last, policy))))  # noqa: T201  (the answer to the parent process)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])  # type: ignore[arg-type]  # one of the three policies
