"""A control tube on its way to the gates of other tubes: gated by the same template, and forgotten but for its values.

A control is gated without controls, and is then its own first control: an FMO tube's result shows what falls beyond the
cuts that were set on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stromagate.fcs import hash_file
from stromagate.gating import engine
from stromagate.gating.controls import describe
from stromagate.gating.method import Outside
from stromagate.model.config import RunConfig
from stromagate.model.controls import ControlTube
from stromagate.model.locks import Locks
from stromagate.pipeline.controls.uses import needs_by_gate
from stromagate.pipeline.outside import with_locks
from stromagate.pipeline.settings import read_tube, with_markers
from stromagate.pipeline.threads import one_blas_thread
from stromagate.prepare import prepare
from stromagate.templates import LoadedTemplate


def gate_control(
    path: Path,
    loaded: LoadedTemplate,
    config: RunConfig,
    *,
    sample_id: str,
    role: str,
    markers: Mapping[str, str],
    locks: Locks | None = None,
) -> ControlTube:
    """Gate one control by the template and return what the gates of other tubes want to know of it.

    Parameters
    ----------
    path : path
        Its file.
    loaded : LoadedTemplate
        The template.
    config : RunConfig
        As for the tubes it belongs to; edits are not for it, because they are bound to trees with controls.
    sample_id, role : str
        Its name, and its role in the template's words.
    markers : mapping of str to str
        Marker to ``$PnN`` where its own file does not say: the antibody that was left out has no name there.
    locks : Locks, optional
        Boundaries of earlier batches; those that the configuration names by default.

    Raises
    ------
    InputError, SpecificationError
        As for any tube.
    """
    bound = with_markers(config, markers)
    needs = {need for needs in needs_by_gate(loaded).values() for need in needs if need.role == role}
    ordered = sorted(needs, key=lambda need: (need.population, need.axis))
    with one_blas_thread(), ThreadPoolExecutor(max_workers=1) as beside:
        digest = beside.submit(hash_file, path)
        prepared = prepare(read_tube(path, loaded, config), loaded.template, bound)
        outside = with_locks(Outside(locks=locks), config, loaded)
        gated = engine.gate(prepared, loaded.template, gates=loaded.gates, seed=config.seed, outside=outside)
        return ControlTube(
            sample_id=sample_id,
            role=role,
            sha256=digest.result(),
            n_events=prepared.n,
            distributions=dict(describe(prepared, gated, ordered)),
        )
