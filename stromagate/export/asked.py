"""What ``--export`` names: formats that are written only where they are asked for, and those of one tube.

What is of a whole run lies in ``exports/``, what is of one tube beside its result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stromagate.errors import SpecificationError, did_you_mean
from stromagate.export.exporter import Exporter, exporters
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
    """
    allowed, found = {*exporters.names(), *GROUPS}, set()
    for name in names:
        if name not in allowed:
            raise SpecificationError(
                "export.unknown", f"there is no export named '{name}'", hint=did_you_mean(name, allowed)
            )
        found |= {*GROUPS.get(name, (name,))}
    return tuple(sorted(name for name in found if exporters.get(name).asked))


def of_tube(result: SampleResult, asked: Iterable[str] = ()) -> dict[str, bytes]:
    """Return the files that lie beside the result of a tube: those that always do, and those asked for."""
    return {each.filename: each.render([result]) for each in _those(asked) if each.a_tube}


def of_run(
    run: RunIndex, results: Sequence[SampleResult], asked: Iterable[str], files: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return the files of a whole run that were asked for, by their path in its folder.

    Parameters
    ----------
    run : RunIndex
        What became of each tube.
    results : sequence of SampleResult
        Those that have a result, in the run's order.
    asked : iterable of str
        Formats.
    files : mapping of str to bytes
        The other files of the run, by their path.
    """
    made: dict[str, bytes] = {}
    last = sorted(_those(asked), key=lambda each: each.of_folder is not None)  # which speak of the others as well
    for each in last:
        if each.a_tube or not each.asked:
            continue
        path = each.filename if each.at_top else f"{FOLDER}/{each.filename}"
        if each.of_folder is not None:
            made[path] = each.of_folder(run, results, {**files, **made})
        else:
            made[path] = each.of_run(results, run.findings) if each.of_run else each.render(results)
    return made


def _those(asked: Iterable[str]) -> list[Exporter]:
    """Return the formats that are always written and those asked for, by name."""
    wanted = {*asked}
    return [each for name, each in exporters.all().items() if name in wanted or not each.asked]
