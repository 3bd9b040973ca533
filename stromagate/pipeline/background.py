"""Background of a tube: which controls show it, and each of them counted on the tube's own boundaries.

The same pass over a control's file reads what medians of the tube are compared with (``quantify.readouts``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stromagate.errors import StromagateError
from stromagate.fcs import open_fcs
from stromagate.gating.leave_out import without_each_marker
from stromagate.gating.replay import count_and_read
from stromagate.model.config import RunConfig
from stromagate.model.detection import BackgroundCount, DetectionLimits
from stromagate.model.gates import ROOT, GateTree, Interval
from stromagate.model.result import ControlUse, Statistic
from stromagate.model.specimen import is_stained
from stromagate.pipeline.controls.pairing import ITSELF, LISTED
from stromagate.pipeline.outside import blanks_of
from stromagate.pipeline.tubes import printable
from stromagate.quantify.background import (
    ALWAYS_BACKGROUND,
    background_counts,
    backgrounds,
    detection,
    judged,
    wanted_counts,
)
from stromagate.quantify.background_rows import background_rows, left_out_rows
from stromagate.quantify.readouts import Read, control_roles, readout_rows, wanted_values, without_lost
from stromagate.templates import LoadedTemplate

if TYPE_CHECKING:
    from stromagate.gating.engine import Gated
    from stromagate.model.sample import F32
    from stromagate.prepare.prepared import Prepared

_OWN = frozenset({"patient_id", LISTED})


def background_roles(loaded: LoadedTemplate) -> tuple[str, ...]:
    """Return the roles of controls that may show the background of a template's index populations, or of its read-outs.

    These are the FMO controls of every marker on which such a population may be asked for more than some value, tubes
    without antibodies or without stroma, and the FMO controls that medians are compared with. Which of them tells what
    is settled on the boundaries of each tube.
    """
    specs = {spec.name: spec for spec in loaded.template.populations}
    found, waiting = dict[str, None](), list(dict.fromkeys(loaded.template.indices.values()))
    seen = set[str]()
    while waiting:
        name = waiting.pop(0)
        if name not in specs or name in seen:
            continue
        seen.add(name)
        first = loaded.gates[name][0].params
        if getattr(first, "keep", "above") == "above" and getattr(first, "low", 0.0) is not None:
            found |= dict.fromkeys(first.axes_used())
        waiting += [specs[name].parent, *first.populations_used()]
    markers = (*loaded.template.panel.required, *loaded.template.panel.optional)
    of_indices = (f"fmo:{marker}" for marker in markers if marker in found)
    return tuple(dict.fromkeys((*of_indices, *ALWAYS_BACKGROUND, *control_roles(loaded.template.readouts))))


def counted_controls(
    tree: GateTree,
    uses: Sequence[ControlUse],
    files: Mapping[str, Path],
    loaded: LoadedTemplate,
    config: RunConfig,
) -> tuple[tuple[ControlUse, ...], Read]:
    """Return the controls of a tube with their events on its boundaries, and the values that read-outs compare with.

    Where a role has controls of the tube's own patient, or listed for it, these alone are counted. The gate on time is
    left open: it belongs to how the stained tube was acquired. A control whose file cannot be counted
    is marked as failed, with the reason.

    Parameters
    ----------
    tree : GateTree
        Boundaries of the tube.
    uses : sequence of ControlUse
        All controls that belong to it.
    files : mapping of str to path
        Their files by name; of those that are not there nothing is counted.
    loaded : LoadedTemplate
        Names the index populations and the denominators.
    config : RunConfig
        How files are read.

    Returns
    -------
    controls : tuple of ControlUse
        All of them, those that show background with ``counts``.
    values : mapping
        By role, population and axis; controls of one role together.
    """
    template = loaded.template
    targets = [node.name for node in tree.nodes if node.name in template.indices.values()]
    open_tree, found = any_time(tree), []
    parts: dict[tuple[str, str, str], list[F32]] = {}
    for use in uses:
        wanted = wanted_counts(tree, targets, use.role, template.denominators)
        axes = wanted_values(tree, template.readouts, use.role)
        asked = bool(wanted or axes) and _is_asked(use, uses, files)
        try:
            counts, values = _counts(open_tree, use, files, config, axes) if asked else ({}, {})
        except StromagateError as error:  # it could be looked at before: said, and looked at anew by the next run
            reason = f"its events could not be counted: {printable(error.message)}"
            found.append(use.model_copy(update={"unused": "failed", "reason": reason}))
            continue
        for (name, axis), column in values.items():
            parts.setdefault((use.role, name, axis), []).append(column)
        kept = {name: counts[name] for name in wanted if name in counts}
        seen = {"counts": kept, "n_events": counts[ROOT]} if counts else {}
        found.append(use.model_copy(update=seen) if seen else use)
    return tuple(found), {key: np.concatenate(several) for key, several in parts.items()}


def _is_asked(use: ControlUse, uses: Sequence[ControlUse], files: Mapping[str, Path]) -> bool:
    """Say whether a control is one of those nearest to the tube that can be counted."""

    def usable(each: ControlUse) -> bool:
        return not each.unused and each.sample_id in files and ITSELF not in each.matched

    own = [each for each in uses if each.role == use.role and usable(each) and _OWN & set(each.matched)]
    return usable(use) and (not own or use in own)


def _counts(
    tree: GateTree, use: ControlUse, files: Mapping[str, Path], config: RunConfig, axes: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, int], dict[tuple[str, str], F32]]:
    opened = open_fcs(files[use.sample_id], policy=config.policy, dataset=config.dataset, gain=tree.gain)
    there = {channel.pnn for channel in opened.channels}
    # A detector that nobody recorded for the control costs its read-out, and not the background.
    wanted = {name: tuple(axis for axis in several if tree.axes[axis].pnn in there) for name, several in axes.items()}
    return count_and_read(opened, tree, wanted)


def any_time(tree: GateTree) -> GateTree:
    """Return a tree whose gate on time is left open: it belongs to how its own tube was acquired."""
    nodes = [
        replace(node, geometry=Interval("Time", None, None))
        if node.geometry is not None and node.geometry.axes == ("Time",)
        else node
        for node in tree.nodes
    ]
    return replace(tree, nodes=tuple(nodes))


@dataclass(frozen=True, slots=True)
class Told:
    """A tube's numbers with what is known of its background: controls with counts, all statistics, and limits."""

    controls: tuple[ControlUse, ...]
    detection: tuple[DetectionLimits, ...]
    statistics: tuple[Statistic, ...]
    background: tuple[BackgroundCount, ...] = ()


def with_background(
    prepared: Prepared,
    gated: Gated,
    loaded: LoadedTemplate,
    config: RunConfig,
    told: Told,
    files: Mapping[str, Path],
    labels: Mapping[str, str],
) -> Told:
    """Return a stained tube's numbers with background, net, limits, each marker left out in turn, and its read-outs.

    A control's numbers are background themselves, and come back as they are.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    gated : Gated
        Its boundaries and members.
    loaded : LoadedTemplate
        Names the index populations and the denominators.
    config : RunConfig
        How files are read; names the laboratory's blanks.
    told : Told
        Its controls, and its numbers as counted.
    files : mapping of str to path
        Files of its controls by name.
    labels : mapping of str to str
        Columns of the sheet: they say the tube's role.

    Raises
    ------
    InputError, SpecificationError
        As ``blanks_of``.
    """
    if not is_stained(labels):
        return told
    template = loaded.template
    targets = [name for name in dict.fromkeys(template.indices.values()) if name in gated.members]
    controls, read = counted_controls(gated.tree, told.controls, files, loaded, config)
    lab = blanks_of(config, loaded)
    known = backgrounds(gated.tree, gated.counts, targets, template.denominators, controls, lab)
    found = detection(known, targets)
    rows = without_lost(judged(told.statistics, found), template, labels)
    beside = background_rows(known, found, rows, template.denominators, config.confidence)
    left_out = without_each_marker(prepared, gated, targets)
    niche = readout_rows(
        gated.tree,
        template,
        rows,
        values=lambda name, axis: prepared.linear(axis, gated.members[name]) if name in gated.members else None,
        read=read,
        labels=labels,
        confidence=config.confidence,
    )
    every = (*rows, *beside, *left_out_rows(left_out, rows, template.denominators), *niche)
    return Told(controls, found, every, background_counts(known, config.confidence))
