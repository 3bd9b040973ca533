"""From reviewed runs to a trained gate: members by replay of each result's tree, and scores on donors left out.

A result knows its file by content alone, so that the files are found by their SHA-256 and a label can never be put on
another tube's events.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from stromagate import __version__
from stromagate.errors import SpecificationError, UsageError
from stromagate.gating.training import Donor, Learned, Score, learn
from stromagate.model.classifier import (
    FEWEST_DONORS,
    Classifier,
    DonorScore,
    TrainedAxis,
    TrainedOn,
    TrainingTube,
)
from stromagate.model.scales import Scale, same_map
from stromagate.pipeline.reviewed import LeftOut, Reviewed, reviewed
from stromagate.pipeline.threads import one_blas_thread
from stromagate.pipeline.told_events import Told, told

AXES = (2, 8)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be learned.

    ``parent`` is the population among whose events it is told apart, its own parent by default; ``donor`` the sheet's
    column that says whose marrow it is; ``recall`` the share of the members to find, the best F1 by default.
    """

    population: str
    axes: tuple[str, ...]
    parent: str = ""
    donor: str = "patient_id"
    recall: float | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it; ``own_scales`` are axes whose scale the template finds anew on every tube."""

    document: Classifier
    left_out: tuple[LeftOut, ...]
    own_scales: tuple[str, ...]
    listed_elsewhere: int = 0


def train(
    folders: Sequence[Path],
    files: Sequence[Path],
    wanted: Wanted,
    *,
    labels: Path | None = None,
    made_on: str = "",
) -> Trained:
    """Learn a gate from the results of finished runs.

    Parameters
    ----------
    folders : sequence of path
        Finished runs of one template, as they were reviewed: what `run --edits` wrote holds the edits.
    files : sequence of path
        FCS files, or folders where they lie; those of the results are found by their content.
    wanted : Wanted
        What to learn.
    labels : path, optional
        Folder with ``<sample_id>.csv`` a tube, whose column ``event`` lists the members (events from 0), instead of
        the members by the results' trees.
    made_on : str
        Day, kept beside the document's hash.

    Returns
    -------
    Trained

    Raises
    ------
    UsageError
        Axes that cannot be: fewer than two, more than eight, one twice, Time; a share that is none.
    InputError
        A run, a result, a file or a list cannot be read.
    SpecificationError
        Runs of several templates, a file twice, a tube without a donor, too few donors or events, names that the
        template does not have.
    """
    _check(wanted)
    tubes, left_out = reviewed(folders, wanted.population, wanted.donor, seen=labels is not None)
    _enough(tubes, left_out, wanted)
    _one_gain(tubes)
    parent = wanted.parent or tubes[0].result.tree.node(wanted.population).parent
    scales = {axis: _scale(axis, tubes) for axis in wanted.axes}
    with one_blas_thread():
        known = told(tubes, files, wanted.population, parent, scales, labels)
        learned = learn(_by_donor(known), recall=wanted.recall)
    document = _document(wanted, parent, scales, known, learned, made_on)
    own = tuple(axis for axis in wanted.axes if any(not same_map(tube.scale(axis), scales[axis]) for tube in tubes))
    return Trained(document.sealed(), tuple(left_out), own, sum(tube.listed_elsewhere for tube in known))


def _check(wanted: Wanted) -> None:
    fewest, most = AXES
    if not fewest <= len(wanted.axes) <= most:
        raise UsageError(
            "train.axes",
            f"{len(wanted.axes)} axes were named; a gate is learned on {fewest} to {most}",
            hint="--axes CD45,CD271; on one axis take a method that finds a cut, such as tail or control",
        )
    twice = [axis for axis in wanted.axes if wanted.axes.count(axis) > 1]
    if twice or "Time" in wanted.axes:
        what = f"the axis {twice[0]} is named twice" if twice else "the time of an event says nothing of its cell"
        raise UsageError("train.axes", what, hint="--axes CD45,CD271")
    if wanted.recall is not None and not 0 < wanted.recall <= 1:
        raise UsageError("train.recall", f"{wanted.recall:g} is no share", hint="--recall 0.95, above 0 and at most 1")


def _enough(tubes: Sequence[Reviewed], left_out: Sequence[LeftOut], wanted: Wanted) -> None:
    donors = dict.fromkeys(tube.donor for tube in tubes)
    if len(donors) >= FEWEST_DONORS:
        return
    reasons = "; ".join(dict.fromkeys(f"{item.sample_id} is left out: {item.reason}" for item in left_out[:3]))
    raise SpecificationError(
        "train.few_donors",
        f"{len(donors)} donors are too few (at least {FEWEST_DONORS}): one is left out to be scored, and the others "
        "must show how donors differ",
        hint=reasons
        or f"add runs of other donors; the column `{wanted.donor}` of the sample sheet says whose a tube is",
    )


def _one_gain(tubes: Sequence[Reviewed]) -> None:
    if len({tube.result.tree.gain for tube in tubes}) > 1:
        raise SpecificationError(
            "train.gain",
            "some tubes were read with $PnG and others without",
            hint="run all of them with the same --gain",
        )


def _scale(axis: str, tubes: Sequence[Reviewed]) -> Scale:
    """Return the one scale of all tubes; where each tube has its own, the middle one of these.

    An ellipse on one scale is none on another, so that a gate learned once needs a scale that is the same everywhere.
    """
    scales = [tube.scale(axis) for tube in tubes]
    if len({tube.result.tree.axes[axis].compensated for tube in tubes}) > 1:
        raise SpecificationError(
            "train.compensation",
            f"{axis} is compensated in some tubes and not in others",
            hint="run all of them with the same --compensation",
        )
    first = scales[0]
    if first.kind == "linear":
        return Scale()
    top, width = (float(median(each)) for each in zip(*((s.top, s.width_decades) for s in scales), strict=True))
    return Scale(first.kind, top, round(width, 3), first.decades, first.negative_decades)


def _by_donor(tubes: Sequence[Told]) -> list[Donor]:
    """Join the tubes of each donor."""
    names = sorted({tube.donor for tube in tubes})
    own = [[tube for tube in tubes if tube.donor == name] for name in names]
    return [
        Donor(
            name,
            np.concatenate([tube.members for tube in group]),
            np.concatenate([tube.others for tube in group]),
            np.concatenate([np.full(len(tube.others), tube.weight, dtype=np.float32) for tube in group]),
        )
        for name, group in zip(names, own, strict=True)
    ]


def _document(
    wanted: Wanted,
    parent: str,
    scales: dict[str, Scale],
    tubes: Sequence[Told],
    learned: Learned,
    made_on: str,
) -> Classifier:
    donors = sorted({tube.donor for tube in tubes})
    medians = np.array([np.mean([t.medians for t in tubes if t.donor == name], axis=0) for name in donors])
    f1 = [score.f1 for score in learned.scores if score.f1 is not None]
    ref = tubes[0].result.template
    return Classifier(
        stromagate=__version__,
        template=TrainedOn(name=ref.name, version=ref.version, sha256=ref.sha256),
        population=wanted.population,
        parent=parent,
        gain=tubes[0].result.tree.gain,
        axes=tuple(
            TrainedAxis(
                axis=axis,
                scale=scales[axis],
                compensated=tubes[0].result.tree.axes[axis].compensated,
                parent_median=_digits(medians[:, column].mean()),
                parent_sd=_digits(medians[:, column].std(ddof=1)),
            )
            for column, axis in enumerate(wanted.axes)
        ),
        mean=tuple(learned.mean.tolist()),
        covariance=tuple(tuple(row) for row in learned.covariance.tolist()),
        distance_squared=learned.distance_squared,
        spread=learned.spread,
        goal="f1" if wanted.recall is None else "recall",
        recall=wanted.recall,
        tubes=tuple(_tube(tube) for tube in tubes),
        held_out=tuple(_score(score, [t for t in tubes if t.donor == score.donor]) for score in learned.scores),
        f1_median=round(median(f1), 4),
        f1_worst=round(min(f1), 4),
        made_on=made_on,
    )


def _tube(tube: Told) -> TrainingTube:
    return TrainingTube(
        sha256=tube.result.source.sha256 or "",
        donor=tube.donor,
        n_parent=tube.n_parent,
        n_members=len(tube.members),
        by_hand=tube.by_hand,
    )


def _score(score: Score, tubes: Sequence[Told]) -> DonorScore:
    shares = {
        name: None if (value := getattr(score, name)) is None else round(value, 4)
        for name in ("precision", "recall", "f1")
    }
    return DonorScore(
        donor=score.donor,
        n_members=score.n_members,
        found=score.found,
        false_events=round(score.false_events, 1),
        **shares,
        own_f1=_own_f1(score, tubes),
    )


def _own_f1(score: Score, tubes: Sequence[Told]) -> float | None:
    """Return the F1 of the template's own gate on a donor's tubes; None where no hand had a say in one of them."""
    own = [tube.own_gate for tube in tubes if tube.own_gate is not None]
    if len(own) < len(tubes) or not score.n_members:
        return None
    found, false = (sum(counts[i] for counts in own) for i in (0, 1))
    return round(2 * found / (score.n_members + found + false), 4)


def _digits(value: float) -> float:
    """Return eight digits: more than a median of float32 values has, and the same on every machine."""
    return float(f"{value:.8g}")


def written(document: Classifier) -> bytes:
    """Return a trained gate as it is written: canonical JSON, with the day that no hash holds."""
    plain = document.model_dump(mode="json") | {"made_on": document.made_on}
    return (json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
