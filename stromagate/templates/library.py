"""Where the shipped templates are: inside an installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from stromagate.errors import InputError, SpecificationError, did_you_mean

_SUFFIXES = (".yaml", ".yml")


def names() -> list[str]:
    """Return the names of the shipped templates, sorted."""
    folder = _folder()
    return sorted(file.stem for file in folder.glob("*.yaml")) if folder else []


def path(source: str | Path) -> Path:
    """Return the file of a template.

    Parameters
    ----------
    source : str or path
        Name of a shipped template, or path of a YAML file (anything with a folder or a YAML suffix in it).

    Raises
    ------
    SpecificationError
        No shipped template has that name; the nearest one is named.
    """
    if is_file_path(source):
        return Path(source)
    if str(source) not in names():
        raise SpecificationError(
            "template.unknown",
            f"no shipped template is named '{source}'",
            hint=f"{did_you_mean(str(source), names())}; a file is given by its path, such as ./{source}.yaml",
        )
    folder = _folder()
    return (folder or Path()) / f"{source}.yaml"


def text(source: str | Path) -> str:
    """Return a template as it is written.

    Raises
    ------
    SpecificationError
        No shipped template has that name, or the file is not UTF-8.
    InputError
        The file cannot be read.
    """
    try:
        return data(source).decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise SpecificationError(
            "template.encoding", f"byte {cause.start} is not UTF-8", where=str(source), hint="save the file as UTF-8"
        ) from cause


def data(source: str | Path, limit: int = 1_000_001) -> bytes:
    """Return the first ``limit`` bytes of a template.

    Raises
    ------
    SpecificationError
        No shipped template has that name.
    InputError
        The file cannot be read.
    """
    file = path(source)
    try:
        with file.open("rb") as opened:
            return opened.read(limit)
    except (OSError, ValueError) as cause:
        said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        raise InputError(
            "template.unreadable",
            f"the template cannot be read: {said}",
            where=str(source),
            hint=f"shipped templates: {', '.join(names()) or 'none'}",
        ) from cause


def is_file_path(source: str | Path) -> bool:
    """Say whether ``source`` means a file rather than a shipped name."""
    as_text = str(source)
    return isinstance(source, Path) or as_text.casefold().endswith(_SUFFIXES) or any(c in as_text for c in "/\\\0")


def _folder() -> Path | None:
    """Look into the package, then beside it: an editable install has no copy inside."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_templates", package.parent / "gating_templates"):
        if folder.is_dir() and any(folder.glob("*.yaml")):
            return folder
    return None
