"""What ``--export`` names: formats that are written only where they are asked for, and those of one tube.

What is of a whole run lies in ``exports/``, what is of one tube beside its result.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stromagate.errors import SpecificationError, StromagateError, UsageError, did_you_mean, fault_text
from stromagate.export.exporter import Exporter, ToFile, exporters, making, rendered
from stromagate.model.result import RunIndex, SampleResult

FOLDER = "exports"
GROUPS: Mapping[str, tuple[str, ...]] = {"multiqc": ("multiqc_general", "multiqc_populations", "multiqc_qc")}
"""Names that stand for several formats which another program wants together."""


@dataclass(frozen=True, slots=True)
class Made:
    """Files by their path, and of those that could not be made the faults that their exporters met."""

    files: dict[str, bytes]
    faults: dict[str, Exception]


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """Return the formats that are meant, sorted, each once; those that are written anyway are not among them.

    Parameters
    ----------
    names : iterable of str
        As a person wrote them: formats, or ``GROUPS`` of them.

    Raises
    ------
    SpecificationError
        ``export.unknown``: no such format, with the nearest one and all there are. Two formats of one file.
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
    exporters.all()  # two of one file are refused now, and not over every tube
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


def of_tube(result: SampleResult, asked: Iterable[str] = ()) -> Made:
    """Return the files that lie beside the result of a tube: those that always do, and those asked for."""
    there = {name: each for name, each in _those(asked).items() if each.a_tube and not each.to_file}
    return _made(there, lambda each: each.filename, lambda each: rendered(each, [result]))


def names_of_tube(asked: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names of those files, and of those that are made from events."""
    return tuple(each.filename for each in _those(asked).values() if each.a_tube)


def asked_of_tube() -> dict[str, str]:
    """Return the names of all files of a tube that are written only where they are asked for, by format."""
    return {name: each.filename for name, each in exporters.all().items() if each.a_tube and each.asked}


def not_there(asked: Iterable[str]) -> tuple[str, ...]:
    """Return those formats that no package offers any more, or none that can be loaded."""
    return tuple(sorted({*asked} - {*exporters.all()}))


def of_events(asked: Iterable[str]) -> dict[str, ToFile]:
    """Return what writes those files that are made from events, by their names; none is written unasked."""
    return {each.filename: each.to_file for each in _those(asked).values() if each.to_file}


def made_by_run_only() -> dict[str, str]:
    """Return the names of all files of a tube that are made from events, by format."""
    return {name: each.filename for name, each in exporters.all().items() if each.to_file}


def of_run(run: RunIndex, results: Sequence[SampleResult]) -> Made:
    """Return the files of a whole run, by their path in its folder: those of every run, and those asked for.

    Parameters
    ----------
    run : RunIndex
        What became of each tube, and which exports it was asked for.
    results : sequence of SampleResult
        Those that have a result, in the run's order.
    """
    there = {name: each for name, each in _those(run.exports).items() if not each.a_tube and each.of_folder is None}
    return _made(there, _path, lambda each: rendered(each, results, run.findings))


def of_folder(run: RunIndex, results: Sequence[SampleResult], files: Mapping[str, bytes]) -> Made:
    """Return those that speak of the other files of the run, which are given by their path.

    Those that the run says it goes without are not tried.
    """

    def made(exporter: Exporter) -> bytes:
        speak = exporter.of_folder
        return making(exporter, lambda: speak(run, results, files) if speak else exporter.render(results))

    there = {name: each for name, each in _those(run.exports).items() if each.of_folder}
    return _made({name: each for name, each in there.items() if _path(each) not in run.not_exported}, _path, made)


def names_of_folder(run: RunIndex) -> tuple[str, ...]:
    """Return the paths of those, before there is any file that they could speak of."""
    paths = (_path(each) for each in _those(run.exports).values() if each.of_folder)
    return tuple(path for path in paths if path not in run.not_exported)


def _path(exporter: Exporter) -> str:
    return exporter.filename if exporter.at_top or not exporter.asked else f"{FOLDER}/{exporter.filename}"


def _those(asked: Iterable[str]) -> dict[str, Exporter]:
    """Return the formats that are always written and those asked for, by name."""
    wanted = {*asked}
    return {name: each for name, each in exporters.all().items() if name in wanted or not each.asked}


def _made(there: Mapping[str, Exporter], path: Callable[[Exporter], str], make: Callable[[Exporter], bytes]) -> Made:
    """Make file after file: neither results nor the other files hang on one of them."""
    made = Made({}, {})
    for name, exporter in there.items():
        try:
            made.files[path(exporter)] = make(exporter)
        except Exception as fault:  # noqa: BLE001  (of other packages it may be any)
            made.faults[path(exporter)] = _named(name, fault)
    return made


def _named(name: str, fault: Exception) -> Exception:
    """Return a fault of another package as one that names it; any other as it is."""
    (offer, *_) = (offer for offer in exporters.offers() if offer.name == name)
    if offer.point is None or isinstance(fault, StromagateError | MemoryError):
        return fault
    told = StromagateError(
        "export.plugin",
        f"the exporter '{name}' of {offer} broke: {fault_text(fault)}",
        hint="this is a fault of that package, not of the file: report it there, with the output of --debug",
    )
    told.__cause__ = fault
    return told
