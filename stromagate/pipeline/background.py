"""Background of a tube: which controls show it, and each of them counted on the tube's own boundaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stromagate.errors import StromagateError
from stromagate.fcs import open_fcs
from stromagate.gating.leave_out import without_each_marker
from stromagate.gating.replay import count
from stromagate.model.config import RunConfig
from stromagate.model.detection import BackgroundCount, DetectionLimits
from stromagate.model.gates import ROOT, GateTree, Interval
from stromagate.model.result import ControlUse, Statistic
from stromagate.model.specimen import is_stained
from stromagate.pipeline.controls.pairing import ITSELF, LISTED
from stromagate.pipeline.outside import blanks_of
from stromagate.quantify.background import (
    ALWAYS_BACKGROUND,
    background_counts,
    background_rows,
    backgrounds,
    detection,
    judged,
    left_out_rows,
    wanted_counts,
)
from stromagate.templates import LoadedTemplate

if TYPE_CHECKING:
    from stromagate.gating.engine import Gated
    from stromagate.prepare.prepared import Prepared

_OWN = frozenset({"patient_id", LISTED})


def background_roles(loaded: LoadedTemplate) -> tuple[str, ...]:
    """Return the roles of controls that may show the background of a template's index populations.

    These are the FMO controls of every marker on which such a population may be asked for more than some value, and
    tubes without antibodies or without stroma. Which of them tells what is settled on the boundaries of each tube.
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
    return (*(f"fmo:{marker}" for marker in markers if marker in found), *ALWAYS_BACKGROUND)


def counted_controls(
    tree: GateTree,
    uses: Sequence[ControlUse],
    files: Mapping[str, Path],
    loaded: LoadedTemplate,
    config: RunConfig,
) -> tuple[ControlUse, ...]:
    """Return the controls of a tube, those that show background with their events on the tube's boundaries.

    Where a role has controls of the tube's own patient, or listed for it, these alone are counted. The gate on time is
    left open: it belongs to how the stained tube was acquired. A control whose file cannot be counted keeps no counts.

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
    """
    template = loaded.template
    targets = [node.name for node in tree.nodes if node.name in template.indices.values()]
    open_tree, found = _any_time(tree), []
    for use in uses:
        wanted = wanted_counts(tree, targets, use.role, template.denominators)
        counts = _counts(open_tree, use, files, config) if wanted and _is_asked(use, uses, files) else {}
        kept = {name: counts[name] for name in wanted if name in counts}
        n_events = counts.get(ROOT, use.n_events)
        found.append(use.model_copy(update={"counts": kept, "n_events": n_events}) if kept else use)
    return tuple(found)


def _is_asked(use: ControlUse, uses: Sequence[ControlUse], files: Mapping[str, Path]) -> bool:
    """Say whether a control is one of those nearest to the tube that can be counted."""

    def usable(each: ControlUse) -> bool:
        return not each.unused and each.sample_id in files and ITSELF not in each.matched

    own = [each for each in uses if each.role == use.role and usable(each) and _OWN & set(each.matched)]
    return usable(use) and (not own or use in own)


def _counts(tree: GateTree, use: ControlUse, files: Mapping[str, Path], config: RunConfig) -> dict[str, int]:
    try:
        opened = open_fcs(files[use.sample_id], policy=config.policy, dataset=config.dataset, gain=tree.gain)
        return count(opened, tree)
    except StromagateError:  # its own line of the run tells why
        return {}


def _any_time(tree: GateTree) -> GateTree:
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
    """Return a stained tube's numbers with background, net, limits, and each marker left out in turn.

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
    controls = counted_controls(gated.tree, told.controls, files, loaded, config)
    lab = blanks_of(config, loaded)
    known = backgrounds(gated.tree, gated.counts, targets, template.denominators, controls, lab)
    found = detection(known, targets)
    rows = judged(told.statistics, found)
    beside = background_rows(known, found, rows, template.denominators, config.confidence)
    left_out = without_each_marker(prepared, gated, targets)
    every = (*rows, *beside, *left_out_rows(left_out, rows, template.denominators))
    return Told(controls, found, every, background_counts(known, config.confidence))
