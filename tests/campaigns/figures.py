"""The figures that a long campaign is run for."""

from __future__ import annotations


def tell(text: str) -> None:
    """Print a line for who asked with ``-s``."""
    print(text)  # noqa: T201
