"""A run's configuration: bound to the content of the files it names, free of this machine's paths, and how it reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stromagate.fcs import hash_file, read_fcs
from stromagate.model.config import RunConfig
from stromagate.model.sample import Sample
from stromagate.pipeline.tubes import printable
from stromagate.templates import LoadedTemplate

LENT = "markers"


def pin(config: RunConfig) -> RunConfig:
    """Remember the SHA-256 of every file the configuration names, so that a changed file is a changed configuration.

    Raises
    ------
    InputError
        A named file cannot be read.
    """
    named = {
        "compensation": config.compensation,
        "panel_file": config.panel_file,
        "locks": config.locks,
        "blanks": config.blanks,
        "edits": config.edits,
    }
    hashed = {option: hash_file(Path(path)) for option, path in named.items() if path and path not in {"file", "none"}}
    return config.model_copy(update={"file_sha256": hashed})


def read_tube(path: Path, loaded: LoadedTemplate, config: RunConfig) -> Sample:
    """Read a file as a run is told to; the gain convention is the template's where the configuration has none.

    Raises
    ------
    InputError
        The file is refused, with the reason.
    """
    gain = config.gain or loaded.template.gain
    return read_fcs(path, policy=config.policy, dataset=config.dataset, gain=gain)


def with_markers(config: RunConfig, lent: Mapping[str, str]) -> RunConfig:
    """Return the configuration with markers that were lent to a tube; what was bound by hand stays."""
    return config.model_copy(update={"markers": {**lent, **config.markers}}) if lent else config


def lent_words(lent: Mapping[str, str]) -> str:
    """Return what a result's conventions say, under ``LENT``, of markers that were lent to its tube."""
    names = ", ".join(f"{marker} on {pnn}" for marker, pnn in sorted(lent.items()))
    return f"{names}: as in the stained tubes of its batch" if lent else ""


def portable(config: RunConfig) -> RunConfig:
    """Return the configuration as results keep it: names of files, not where they lie."""
    names = {option: printable(Path(getattr(config, option)).name) for option in config.file_sha256}
    return config.model_copy(update=names)
