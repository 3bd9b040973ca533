"""Where randomness comes from: one stream a donor, tube and chunk, each a function of names and numbers alone."""

from __future__ import annotations

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator that belongs to ``seed`` and ``names``.

    Streams of different names are independent, and none depends on which others were drawn from, so that chunks may be
    made in any order by any number of workers.
    """
    path = "/".join(str(name) for name in names).encode()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, len(path), *path])))
