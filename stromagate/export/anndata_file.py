"""Events, populations and what is known of them to an AnnData file (``.h5ad``), a stretch of events at a time.

The layout is AnnData's on-disk format (anndata 0.8 and later): a tube of millions of events is never held twice, as it
would be by way of an ``AnnData`` object, and neither times nor the file's name get into it, so that the same tube gives
the same bytes with the same version of HDF5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stromagate.export.from_events import inside
from stromagate.model.sample import F32, F64, Rows

if TYPE_CHECKING:
    import h5py

About = Mapping[str, "str | int | tuple[str, ...] | F64 | Table | About"]

_CHUNK_ROWS = 1 << 16


class Table(dict[str, "Sequence[str] | Sequence[float] | Sequence[bool]"]):
    """Columns of equal length, written as a data frame; the first one names its rows."""


def write_anndata(
    path: Path,
    n_obs: int,
    populations: Mapping[str, Rows],
    variables: Table,
    matrices: Mapping[str, int],
    blocks: Iterable[tuple[int, Mapping[str, F32]]],
    about: About,
) -> None:
    """Write the file.

    Parameters
    ----------
    path : Path
        Where to; a file there is written over.
    n_obs : int
        Number of events.
    populations : mapping of str to ndarray of intp
        Rows of every population: one column of yes and no each, in ``obs``.
    variables : Table
        ``var``; its first column is the names of the variables.
    matrices : mapping of str to int
        Number of columns of ``X``, ``layers/NAME`` and ``obsm/NAME``.
    blocks : iterable of (int, mapping of str to ndarray of float32)
        Stretches of events, ascending: where each begins, and its part of every matrix, shape (n_rows, n_columns).
    about : mapping
        What stands in ``uns``: text, whole numbers, lists of text, matrices, tables, and mappings of these.

    Raises
    ------
    OSError
        It cannot be written there.
    """
    import h5py

    # By way of a stream, because HDF5 itself names no cause of its own errors that a person could read.
    with path.open("wb+") as stream, h5py.File(stream, "w") as file:
        _mark(file, "anndata", "0.1.0")
        for name in ("layers", "obsm", "obsp", "varm", "varp"):
            _mark(file.create_group(name), "dict", "0.1.0")
        shown = {}
        for name, n_columns in matrices.items():
            shown[name] = file.create_dataset(name, shape=(n_obs, n_columns), dtype="<f4")
            _mark(shown[name], "array", "0.2.0")
        for start, parts in blocks:
            for name, values in parts.items():
                if values.size:
                    shown[name][start : start + len(values)] = values
        _observations(file.create_group("obs"), n_obs, populations)
        _table(file.create_group("var"), variables)
        _mapping(file.create_group("uns"), about)


def _mark(place: h5py.Group | h5py.Dataset, kind: str, version: str) -> None:
    place.attrs["encoding-type"] = kind
    place.attrs["encoding-version"] = version


def _observations(group: h5py.Group, n_obs: int, populations: Mapping[str, Rows]) -> None:
    """Write the numbers of the events as their names, and which populations each is in."""
    _as_frame(group, list(populations))
    names = group.create_dataset("_index", shape=(n_obs,), dtype=_text())
    for start in range(0, n_obs, _CHUNK_ROWS):
        stop = min(start + _CHUNK_ROWS, n_obs)
        names[start:stop] = [str(row) for row in range(start, stop)]
    _mark(names, "string-array", "0.2.0")
    for name, rows in populations.items():
        _array(group, name, inside(rows, n_obs))


def _table(group: h5py.Group, columns: Table) -> None:
    index, *others = columns
    _as_frame(group, others)
    _texts(group, "_index", columns[index])
    for name in others:
        values = columns[name]
        if all(isinstance(value, str) for value in values):
            _texts(group, name, values)
        else:
            _array(group, name, np.asarray(values))


def _as_frame(group: h5py.Group, columns: Sequence[str]) -> None:
    _mark(group, "dataframe", "0.2.0")
    group.attrs["_index"] = "_index"
    group.attrs["column-order"] = np.array(columns, dtype=_text())


def _mapping(group: h5py.Group, about: About) -> None:
    _mark(group, "dict", "0.1.0")
    for name, value in about.items():
        match value:
            case Table():
                _table(group.create_group(name), value)
            case str():
                _mark(group.create_dataset(name, data=_plain(value), dtype=_text()), "string", "0.2.0")
            case int():
                _mark(group.create_dataset(name, data=value, dtype="<i8"), "numeric-scalar", "0.2.0")
            case tuple():
                _texts(group, name, value)
            case np.ndarray():
                _array(group, name, value)
            case _:
                _mapping(group.create_group(name), value)


def _texts(group: h5py.Group, name: str, values: Sequence[Any]) -> None:
    texts = np.array([_plain(str(value)) for value in values], dtype=object)
    _mark(group.create_dataset(name, data=texts, dtype=_text()), "string-array", "0.2.0")


def _plain(text: str) -> str:
    """Return text that HDF5 can hold: a zero byte, or half a surrogate pair, as its escape."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _array(group: h5py.Group, name: str, values: Any) -> None:
    """Write numbers or truths; packed where there are many, as most events are in few populations."""
    packed = {"compression": "gzip", "compression_opts": 1} if len(values) > _CHUNK_ROWS else {}
    _mark(group.create_dataset(name, data=values, **packed), "array", "0.2.0")


def _text() -> Any:
    import h5py

    return h5py.string_dtype()
