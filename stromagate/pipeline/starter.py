"""A first template for a tube: its markers, the gates every tube needs, and a proposal for each marker to work on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from stromagate.errors import SpecificationError
from stromagate.fcs import read_header
from stromagate.pipeline.template import load_template
from stromagate.prepare import bind_template
from stromagate.prepare.stains import Stain, Stains, stains_of
from stromagate.templates import library

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*")
_READ_OTHERWISE = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
_LINEAR = ("FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H", "SSC-W", "Time")


def starter(path: Path, name: str) -> str:
    """Write a template for the markers of one tube, as text.

    Parameters
    ----------
    path : path
        FCS file of the panel.
    name : str
        Name of the new template.

    Raises
    ------
    InputError
        The file cannot be read.
    SpecificationError
        It names no marker.
    """
    header = read_header(path)
    stains = stains_of(header.channels)
    if not stains.stains:
        channels = ", ".join(channel.pnn for channel in header.channels)
        raise SpecificationError(
            "templates.no_markers",
            "no channel of the file names a marker",
            where=str(path),
            hint=f"channels: {channels}; label them on the instrument, or copy a shipped template with --from",
        )
    return "\n".join([*_head(stains, path.name, name), *_populations(stains), *_tail(stains)]) + "\n"


def copy_for(path: Path, name: str, shipped: str) -> str:
    """Return a shipped template under a new name, for a tube that carries its markers.

    Raises
    ------
    InputError
        The file cannot be read.
    SpecificationError
        There is no such template, or the tube lacks a marker that it needs.
    """
    loaded = load_template(shipped)
    bind_template(read_header(path), loaded.template)
    body = library.text(shipped)
    lines = [line for line in body.splitlines() if not line.startswith("#")]
    kept = [_renamed(line, name) for line in lines]
    said = (
        f"# {name}: a copy of {loaded.template.name} {loaded.template.version}, to be changed for our own tubes.",
        "# Keep the sources, note every number that is changed, and count up `version` whenever it is.",
    )
    return "\n".join([*said, *kept]) + "\n"


def template_name(stem: str) -> str:
    """Return a template's name for a file's name: letters, digits and _ that start with a letter."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", stem).strip("_")[:60]
    return name if name[:1].isalpha() else f"panel_{name}".rstrip("_")


def _renamed(line: str, name: str) -> str:
    key = line.partition(":")[0]
    return {"name": f"name: {name}", "version": "version: 1.0.0", "status": "status: local"}.get(key, line)


def _head(stains: Stains, file: str, name: str) -> Iterator[str]:
    yield f"# {name}: a first template, started from the file {_comment(file)}."
    yield "# What stands behind # is a remark. Work from the top down: look at each gate in the report of a run, then"
    yield "# take the # away from the four lines of the next proposal. `stromagate templates check` tells mistakes."
    yield "format: stromagate.template/1"
    yield f"name: {name}"
    yield "version: 1.0.0                 # count it up whenever a gate changes"
    yield "status: local"
    yield f"title: {_word(f'Panel of {_comment(file)}')}"
    yield "panel:"
    yield "  required:                    # move what not every tube carries to `optional: [...]`"
    for stain in stains.stains:
        yield f"    - {_word(stain.marker):<24} # {_comment(_remark(stain))}"
    for pnn, why in stains.left_out:
        yield f"    # left out: {_comment(pnn)}, because {_comment(why)}"
    joined = [stain for stain in stains.stains if stain.joined]
    if joined:
        yield "aliases:                       # one colour for several markers goes under the first one's name"
        for stain in joined:
            yield f"  {_word(stain.marker)}: [{_word('+'.join(stain.joined))}]"
    yield "scales:"
    yield "  default: {transform: logicle, top: from_range, width: from_data}"
    for axis in _LINEAR:
        if axis in stains.axes:
            yield f"  {axis}: {{transform: linear}}"


def _remark(stain: Stain) -> str:
    if stain.joined:
        return f"{stain.pnn}: one colour for {' and '.join(stain.joined)}"
    if not stain.known:
        return f"{stain.pnn}: a name that is not known to us, kept as it is written"
    return stain.pnn if stain.label == stain.marker else f"{stain.pnn}: written {stain.label}"


def _populations(stains: Stains) -> Iterator[str]:
    markers = [stain.marker for stain in stains.stains]
    trunk = _trunk(stains, markers)
    taken = {name for name, *_ in trunk}
    yield "populations:                   # parents stand above their children; `all` is the whole tube"
    parent = "all"
    for name, label, gate in trunk:
        yield from _population(name, parent, label, gate)
        parent = name
    above = parent
    if "CD45" in markers and "cd45neg_low" not in taken:
        yield from _population("cd45neg_low", above, "CD45-negative or low cells", _split("CD45", "below"))
        taken.add("cd45neg_low")
    elif not trunk:  # a template needs one population at least
        yield from _population("first", "all", markers[0], _split(markers[0], "above"))
        taken.add("first")
    yield "  ## A starting point for each marker: the valley between two peaks, else the tail of the larger one."
    yield "  ## For rare cells a cut on FMO tubes is better, with a wide population as the anchor:"
    yield f"  ## {{method: control, axis: ..., keep: above, anchor: {above if trunk else 'first'}, otherwise: tail}}"
    for marker in markers:
        if marker in {"Viability", "DNA"}:
            continue
        name = _free(marker, taken)
        for line in _population(name, above, f"{marker}-positive cells", _split(marker, "above")):
            yield f"  # {line[2:]}"


def _trunk(stains: Stains, markers: Sequence[str]) -> list[tuple[str, str, str]]:
    axes, trunk = set(stains.axes), []
    if "Time" in axes:
        trunk.append(("time_ok", "Steady acquisition", "{method: time}"))
    if {"FSC-A", "FSC-H"} <= axes:
        trunk.append(("singlets", "Single cells", "{method: singlet, axes: [FSC-A, FSC-H]}"))
    if "Viability" in markers:
        trunk.append(("viable", "Viable cells", "{method: tail, axis: Viability, keep: below}"))
    if "DNA" in markers:
        trunk.append(("nucleated", "Nucleated cells", _split("DNA", "above")))
    return trunk


def _split(marker: str, keep: str) -> str:
    return f"{{method: valley, axis: {_word(marker)}, keep: {keep}, otherwise: tail}}"


def _population(name: str, parent: str, label: str, gate: str) -> Iterator[str]:
    yield f"  - name: {name}"
    yield f"    parent: {parent}"
    yield f"    label: {_word(label)}"
    yield f"    gate: {gate}"


def _free(marker: str, taken: set[str]) -> str:
    """Return a name for a marker's population that no other has, in capitals or without."""
    stem = re.sub(r"[^a-z0-9]+", "_", marker.casefold()).strip("_")
    stem = stem if stem[:1].isalpha() and stem.isascii() else f"m_{stem}"
    name, number = f"{stem[:50]}_pos", 2
    while name in taken:
        name, number = f"{stem[:50]}_pos{number}", number + 1
    taken.add(name)
    return name


def _tail(stains: Stains) -> Iterator[str]:
    trunk = [name for name, *_ in _trunk(stains, [stain.marker for stain in stains.stains])]
    yield f"denominators: [{trunk[-1] if trunk else 'all'}]  # rates are given per these"
    listed = ", ".join(_word(stain.marker) for stain in stains.stains if stain.marker not in {"Viability", "DNA"})
    yield f"intensities: [{listed}]"


def _word(text: str) -> str:
    """Quote what YAML would read as something else than this text."""
    plain = _PLAIN.fullmatch(text) or re.fullmatch(r"[A-Za-z][A-Za-z0-9 .()_+-]*[A-Za-z0-9.)]", text)
    return text if plain and text.casefold() not in _READ_OTHERWISE else json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    """Keep a remark on its line, whatever a file calls its channels."""
    return "".join(character if character.isprintable() else "?" for character in text)
