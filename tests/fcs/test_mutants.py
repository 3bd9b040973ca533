"""Ten thousand hurt files: none may be misread in silence, hang, swell, or raise anything foreign."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from stromagate.errors import InputError
from stromagate.model.sample import Policy
from tests.fcs.campaign import NEVER, Figures, mutant
from tests.fcs.make_fcs import make
from tests.fcs.mutate import MUTATORS
from tests.fcs.readings import bits, read
from tests.fcs.rewrites import REWRITES, rewritten
from tests.fcs.seeds import all_seeds, synthetic
from tests.fcs.specimens import integers
from tests.fcs.strict_decoder import take_apart
from tests.reference_data import ROOT

MOST_WARNED_FRAC = 0.02


def _campaign(first: int, last: int, policy: Policy = "repair") -> Figures:
    """Run a campaign in a child process, so that limits of time and memory cannot touch the tests."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fcs.campaign", str(first), str(last), policy],
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    figures = Figures(**json.loads(done.stdout))
    assert sum(figures.verdicts.values()) + figures.rewrites == last - first
    return figures


def _check(figures: Figures) -> None:
    listed = "\n".join(figures.examples)
    n_mutants = sum(figures.verdicts.values())
    assert not sum(figures.verdicts.get(verdict, 0) for verdict in NEVER), listed
    assert not figures.memory, listed
    assert not figures.rewrites_refused, listed
    assert not figures.verdicts.get("refused though legal", 0), listed
    assert figures.verdicts.get("warned wrong", 0) <= MOST_WARNED_FRAC * n_mutants, figures.by_mutator


@pytest.mark.parametrize("part", range(2))
def test_mutants(part: int) -> None:
    _check(_campaign(5000 * part, 5000 * (part + 1)))


@pytest.mark.parametrize("policy", ["strict", "salvage"])
def test_mutants_under_other_policies(policy: Policy) -> None:
    """Strict reading repairs nothing, so it may warn of nothing; salvage may bring back less than there was."""
    figures = _campaign(0, 1000, policy)
    listed = "\n".join(figures.examples)
    assert not sum(figures.verdicts.get(verdict, 0) for verdict in NEVER), listed
    assert not figures.memory, listed
    assert not figures.rewrites_refused, listed
    if policy == "strict":
        assert not figures.verdicts.get("warned wrong", 0)


@pytest.mark.soak
@pytest.mark.parametrize(("first", "last"), [(10_000, 20_000), (100_000, 150_000), (150_000, 200_000)])
def test_long_campaign(first: int, last: int) -> None:
    figures = _campaign(first, last)
    print(f"\n{_table(figures)}")  # noqa: T201  (the figures are what a long campaign is run for)
    _check(figures)


def test_the_campaign_is_broad() -> None:
    assert len(MUTATORS) >= 28
    assert len(REWRITES) >= 9
    assert len(synthetic()) >= 14


def test_the_same_number_gives_the_same_mutant() -> None:
    seeds = all_seeds()
    for number in range(0, 2000, 7):
        assert mutant(number, seeds) == mutant(number, seeds)


def test_mutants_are_hurt() -> None:
    """A campaign of copies would prove nothing: nearly all mutants differ from their seed, and most are not legal."""
    seeds = synthetic()
    mutants = [mutant(number, seeds) for number in range(1000)]
    hurt = [(name, seed, data) for name, seed, data in mutants if name in MUTATORS]
    assert sum(data != seed.whole for _, seed, data in hurt) > 0.9 * len(hurt)
    assert {name for name, _, _ in mutants} == {*MUTATORS, *REWRITES}


@pytest.mark.parametrize("name", REWRITES)
def test_rewrites_are_legal(name: str) -> None:
    """The strict decoder reads every rewrite as its seed, so a reader that refuses one is at fault."""
    for seed in all_seeds():
        parts = take_apart(rewritten(name, random.Random(name + seed.name), seed))
        assert (parts.names, parts.columns) == (seed.parts.names, seed.parts.columns)


def _outcome(path: Path, dataset: int) -> object:
    """Return what was read, or None for a refusal."""
    try:
        reading = read(path, dataset=dataset)
    except InputError:
        return None
    columns = tuple(bits(column) for column in reading.raw.columns)
    return reading.raw.names, columns, reading.sample.events.tobytes(), reading.codes


def test_a_second_data_set_is_read_like_a_first(tmp_path: Path) -> None:
    """All offsets count from the start of the data set, so nothing about a hurt one may depend on where it begins."""
    first = integers(version="3.0", change={"$NEXTDATA": "00000000"})
    front = make(replace(first, change={"$NEXTDATA": f"{make(first).size:08d}"})).data
    seeds = synthetic()
    alone, behind = tmp_path / "alone.fcs", tmp_path / "behind.fcs"
    n_read = 0
    for number in range(800):
        name, seed, data = mutant(number, seeds)
        alone.write_bytes(data)
        behind.write_bytes(front + data)
        expected = _outcome(alone, 0)
        n_read += expected is not None
        assert _outcome(behind, 1) == expected, f"mutant {number}, {name} of {seed.name}"
    assert n_read > 200


def _table(figures: Figures) -> str:
    columns = sorted(figures.verdicts)
    lines = [f"{figures.seeds} seeds; {figures.rewrites} legal rewrites, {figures.rewrites_refused} refused or misread"]
    lines.append("  ".join(("mutator".ljust(18), *columns)))
    for name, counts in [*sorted(figures.by_mutator.items()), ("all", figures.verdicts)]:
        cells = (str(counts.get(column, 0)).rjust(len(column)) for column in columns)
        lines.append("  ".join((name.ljust(18), *cells)))
    return "\n".join(lines)
