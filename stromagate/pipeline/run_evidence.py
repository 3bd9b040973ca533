"""What checks of a whole run look at: results, and what the files say of voltages, order and content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from stromagate.errors import StromagateError
from stromagate.fcs import FcsFile, open_fcs
from stromagate.model.config import RunConfig
from stromagate.model.result import SampleResult
from stromagate.pipeline.controls.header import serial_of, volts_of
from stromagate.pipeline.controls.roles import roles_of
from stromagate.pipeline.tubes import Tube
from stromagate.qc.run_check import RunEvidence, TubeSeen
from stromagate.templates import LoadedTemplate

_FIRST_ROWS = 1024
_CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:([:.])(\d{1,3}))?")
# Sixtieths of a second up to FCS 3.0, hundredths with a point since.
_FRACTION = {":": 60.0, ".": 100.0}


def look_at_run(
    tubes: Sequence[Tube], results: Sequence[SampleResult], loaded: LoadedTemplate, config: RunConfig
) -> RunEvidence:
    """Return what is known of the analysed tubes of a run; only their headers are read, and the events of likely twins.

    Parameters
    ----------
    tubes : sequence of Tube
        All tubes of the run.
    results : sequence of SampleResult
        Those that were analysed.
    loaded, config
        Of the run.
    """
    by_name = {tube.sample_id: tube for tube in tubes}
    roles = roles_of(loaded.template)
    files = {result.sample_id: _opened(by_name[result.sample_id], config) for result in results}
    digests = _data_digests({name: file for name, file in files.items() if file is not None})
    seen = []
    for result in results:
        stained = roles.of(by_name[result.sample_id]) == "stained"
        tube = TubeSeen(result, stained, data_sha256=digests.get(result.sample_id, ""))
        file = files[result.sample_id]
        seen.append(tube if file is None else _with_header(tube, file))
    return RunEvidence(tuple(seen), loaded.template)


def _opened(tube: Tube, config: RunConfig) -> FcsFile | None:
    """Return a file checked and not decoded; None where it has gone since it was analysed."""
    try:
        return open_fcs(tube.path, dataset=config.dataset, policy=config.policy)
    except StromagateError:
        return None


def _with_header(tube: TubeSeen, file: FcsFile) -> TubeSeen:
    words = file.keywords
    moment = words.get("$BEGINDATETIME", "").strip()  # FCS 3.2
    day, _, clock = moment.partition("T") if moment else (words.get("$DATE", ""), "", words.get("$BTIM", ""))
    return replace(
        tube,
        volts=volts_of(file),
        cytometer=words.get("$CYT", "").strip().casefold(),
        serial=serial_of(words),
        day=day.strip().casefold(),
        begun_s=clock_s(clock),
    )


def clock_s(text: str) -> float | None:
    """Return ``$BTIM`` in seconds of the day; None where it is no time."""
    found = _CLOCK.match(text.strip())
    if not found:
        return None
    hours, minutes, seconds = (int(part) for part in found.group(1, 2, 3))
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    mark, part = found.group(4, 5)
    fraction = 0.0 if not mark else int(part) / (1000.0 if len(part) == 3 else _FRACTION[mark])
    return 3600.0 * hours + 60.0 * minutes + seconds + fraction


def _data_digests(files: Mapping[str, FcsFile]) -> dict[str, str]:
    """Return the SHA-256 of the stored events of those tubes that may hold the same ones.

    Files of other sizes cannot, and a look at the first events tells almost all others apart: only twins are read.
    """
    sized: dict[tuple[int, int], list[str]] = {}
    for name, file in files.items():
        if file.n_events:
            sized.setdefault((file.n_events, file.layout.stride), []).append(name)
    begun: dict[tuple[object, ...], list[str]] = {}
    for size, names in sized.items():
        for name in names if len(names) > 1 else ():
            begun.setdefault((*size, _digest(files[name], whole=False)), []).append(name)
    alike = [name for names in begun.values() if len(names) > 1 for name in names]
    return {name: digest for name in alike if (digest := _digest(files[name], whole=True))}


def _digest(file: FcsFile, *, whole: bool) -> str:
    """Return the digest of a file's events or of its first ones; empty where they can no longer be read."""
    digest = hashlib.sha256()
    try:
        for _, block in file.byte_blocks() if whole else file.byte_blocks(_FIRST_ROWS):
            digest.update(block.data)
            if not whole:
                break
    except StromagateError:
        return ""
    return digest.hexdigest()
