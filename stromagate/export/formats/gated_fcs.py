"""``gated.fcs``: every event of a tube with its population as a further parameter, for FlowJo, R and others.

The values are those that were gated: logarithms undone, ``$PnG`` and ``$TIMESTEP`` as the run read them, compensation
not applied but stated as it was used. The code of the last parameter is the number of the event's deepest population,
of several equally deep ones the last in the template; 0 is an event in none. ``STROMAGATE_POPULATION_n`` names them.
Of the other keywords those are kept that a scrubbed copy keeps and that still hold of the values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from stromagate.export.from_events import from_events, label_of, require_those_of
from stromagate.fcs import write_fcs
from stromagate.fcs.identity import seen_in
from stromagate.fcs.kept_keywords import is_kept
from stromagate.model.gates import ROOT, GateTree
from stromagate.model.panel import Compensation
from stromagate.model.result import SampleResult
from stromagate.model.sample import F32, Channel, Rows, Sample

COLUMN = "Population"
# Of channels: what the values, which are scale values now, no longer bear out, or what the writer sets itself.
_NOT_OF_VALUES = re.compile(r"\$P\d+(?:[BNERGDS]|CALIBRATION|DATATYPE)|\$TIMESTEP|P\d+(?:BS|MS)|FLOWCORE_.*")
# A matrix by the numbers of channels does not fit a file with one more; the one that was used is written anew.
_MATRIX = re.compile(r"\$?SPILL(?:OVER)?|\$?COMP|\$DFC\d+TO\d+|APPLY COMPENSATION|TRANSFORMATION")


def write(result: SampleResult, sample: Sample, members: Mapping[str, Rows], path: Path) -> None:
    """Write the file.

    Parameters
    ----------
    result : SampleResult
        What is known of the tube.
    sample : Sample
        The tube as the run read it.
    members : mapping of str to ndarray of intp
        Rows of every population, as ``gating.replay.members_of`` gives them.
    path : Path
        Where to; a file there is replaced in one step.

    Raises
    ------
    InputError
        ``export.changed``: the events are not those of the result; ``file.unwritable``.
    """
    require_those_of(result, members)
    names = _names([*sample.pnn, COLUMN])
    events = np.column_stack([sample.events, codes(result.tree, members, sample.n_events)])
    labels = [*(label_of(channel, sample) for channel in sample.channels), "stromagate population"]
    write_fcs(path, events, names, labels=labels, keywords=_keywords(result, sample, names))


def codes(tree: GateTree, members: Mapping[str, Rows], n_events: int) -> F32:
    """Return the number of every event's deepest population, from 1 in the tree's order, shape (n_events,)."""
    depth = {ROOT: 0}
    for node in tree.nodes:
        depth[node.name] = depth[node.parent] + 1
    numbered = sorted(enumerate(tree.nodes, start=1), key=lambda each: (depth[each[1].name], each[0]))
    found = np.zeros(n_events, dtype=np.float32)
    for number, node in numbered:
        if node.name in members:
            found[members[node.name]] = number
    return found


def _names(wanted: Sequence[str]) -> list[str]:
    """Return names that an FCS file can hold, no two alike."""
    made: list[str] = []
    for number, name in enumerate(wanted, start=1):
        plain = "".join(letter if letter.isprintable() and letter != "," else "_" for letter in name).strip()
        plain = plain or f"P{number}"
        made.append(plain if plain not in made else f"{plain}_{number}")
    return made


def _keywords(result: SampleResult, sample: Sample, names: Sequence[str]) -> dict[str, str]:
    kept = {
        name: said.strip()
        for name, said in sample.keywords.items()
        if is_kept(name, said, sample.pnn) and not (_NOT_OF_VALUES.fullmatch(name) or _MATRIX.fullmatch(name))
    }
    if seen_in("$CYT", kept.get("$CYT", "")):
        del kept["$CYT"]
    kept |= {f"$P{each.index + 1}R": str(int(each.range_top)) for each in sample.channels if _as_stored(each, sample)}
    if sample.timestep_s:
        kept["$TIMESTEP"] = "1"  # Time is in seconds
    if result.tree.compensation is not None:
        kept["$SPILLOVER"] = _spillover(result.tree.compensation, dict(zip(sample.pnn, names, strict=False)))
    nodes = result.tree.nodes
    return {
        **kept,
        f"$P{len(names)}R": str(len(nodes) + 1),
        "STROMAGATE_RESEARCH_USE": result.research_use,
        "STROMAGATE_VERSION": result.record.stromagate,
        "STROMAGATE_TEMPLATE": f"{result.template.name} {result.template.version}",
        "STROMAGATE_BOUNDARIES_SHA256": result.tree.digest(),
        **{f"STROMAGATE_POPULATION_{number}": node.name for number, node in enumerate(nodes, start=1)},
    }


def _as_stored(channel: Channel, sample: Sample) -> bool:
    """Whether the range that the file states is that of the values."""
    scaled = channel.log_decades is not None or (channel.is_time and sample.timestep_s)
    return not scaled and (channel.gain == 1.0 or sample.gain == "ignore") and channel.range_top >= 1


def _spillover(used: Compensation, names: Mapping[str, str]) -> str:
    channels = [names.get(channel, channel) for channel in used.channels]
    return ",".join([str(len(channels)), *channels, *(repr(float(value)) for row in used.matrix for value in row)])


EXPORTER = from_events(
    "gated_fcs",
    "gated.fcs",
    "every event of the tube with its population as a further parameter",
    write,
)
