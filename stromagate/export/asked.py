"""What ``--export`` names: formats that are written only where they are asked for, and those of one tube.

What is of a whole run lies in ``exports/``, what is of one tube beside its result.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence

from stromagate.errors import SpecificationError, UsageError, did_you_mean
from stromagate.export.exporter import Exporter, ToFile, exporters, rendered
from stromagate.model.result import RunIndex, SampleResult

FOLDER = "exports"
GROUPS: Mapping[str, tuple[str, ...]] = {"multiqc": ("multiqc_general", "multiqc_populations", "multiqc_qc")}
"""Names that stand for several formats which another program wants together."""


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """Return the formats that are meant, sorted, each once; those that are written anyway are not among them.

    Parameters
    ----------
    names : iterable of str
        As a person wrote them: formats, or ``GROUPS`` of them.

    Raises
    ------
    SpecificationError
        ``export.unknown``: no such format, with the nearest one and all there are.
    UsageError
        ``export.library``: a format needs a library that is not installed.
    """
    allowed, found = {*exporters.names(), *GROUPS}, set()
    for name in names:
        if name not in allowed:
            raise SpecificationError(
                "export.unknown", f"there is no export named '{name}'", hint=did_you_mean(name, allowed)
            )
        found |= {*GROUPS.get(name, (name,))}
    for name in sorted(found):
        _require_library(name, exporters.get(name))
    return tuple(sorted(name for name in found if exporters.get(name).asked))


def _require_library(name: str, exporter: Exporter) -> None:
    """Load what a format needs now, and not when the first tube is done."""
    if not exporter.library:
        return
    try:
        importlib.import_module(exporter.library)
    except ImportError as cause:
        missing = isinstance(cause, ModuleNotFoundError)
        raise UsageError(
            "export.library",
            f"the export '{name}' needs {exporter.library}, which "
            + ("is not installed" if missing else f"cannot be loaded: {cause}"),
            hint=f"pip install 'stromagate[{exporter.extra}]'" if exporter.extra else f"install {exporter.library}",
        ) from cause


def of_tube(result: SampleResult, asked: Iterable[str] = ()) -> dict[str, bytes]:
    """Return the files that lie beside the result of a tube: those that always do, and those asked for."""
    return {each.filename: rendered(each, [result]) for each in _those(asked) if each.a_tube and not each.to_file}


def names_of_tube(asked: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names of those files."""
    return tuple(each.filename for each in _those(asked) if each.a_tube)


def of_events(asked: Iterable[str]) -> dict[str, ToFile]:
    """Return what writes those files that are made from events, by their names; none is written unasked."""
    return {each.filename: each.to_file for each in _those(asked) if each.to_file}


def made_by_run_only() -> dict[str, str]:
    """Return the names of all files of a tube that are made from events, by format."""
    return {name: each.filename for name, each in exporters.all().items() if each.to_file}


def of_run(run: RunIndex, results: Sequence[SampleResult]) -> dict[str, bytes]:
    """Return the files of a whole run that were asked for, by their path in its folder.

    Parameters
    ----------
    run : RunIndex
        What became of each tube, and which exports it was asked for.
    results : sequence of SampleResult
        Those that have a result, in the run's order.
    """
    return {
        _path(each): rendered(each, results, run.findings)
        for each in _those(run.exports)
        if each.asked and not each.a_tube and each.of_folder is None
    }


def of_folder(run: RunIndex, results: Sequence[SampleResult], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return those that speak of the other files of the run, which are given by their path."""
    return {_path(each): each.of_folder(run, results, files) for each in _those(run.exports) if each.of_folder}


def names_of_folder(asked: Iterable[str]) -> tuple[str, ...]:
    """Return the paths of those, before there is any file that they could speak of."""
    return tuple(_path(each) for each in _those(asked) if each.of_folder)


def _path(exporter: Exporter) -> str:
    return exporter.filename if exporter.at_top else f"{FOLDER}/{exporter.filename}"


def _those(asked: Iterable[str]) -> list[Exporter]:
    """Return the formats that are always written and those asked for, by name."""
    wanted = {*asked}
    return [each for name, each in exporters.all().items() if name in wanted or not each.asked]
