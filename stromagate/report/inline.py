"""The plots of a tube's report inside a notebook: each shows itself where a cell ends with it, without network.

A frame of its own keeps a plot away from what the notebook has loaded, and lets it run nothing but its own script.
plotly.js is packed: a notebook keeps it once for every cell that shows plots.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

from stromagate.errors import did_you_mean
from stromagate.model.result import RESEARCH_USE, SampleResult
from stromagate.report.build import environment
from stromagate.report.figures import Figure, Json, plotly_asset
from stromagate.report.sections.gates import SECTION

_BESIDE = 2
_ROW_PX, _CAPTION_PX, _LINE_PX = 318, 76, 40
_TALLEST_PX = 820


@dataclass(frozen=True, slots=True)
class InlineFigure:
    """One plot of the report: a gate on the density of its parent population.

    ``spec`` is a plain Plotly figure (``data``, ``layout``), which ``plotly.graph_objects.Figure(spec)`` takes; ``alt``
    says in words what it shows.
    """

    population: str
    title: str
    figure: Figure

    @property
    def spec(self) -> Json:
        """The figure as plain Plotly JSON."""
        return self.figure.spec

    @property
    def alt(self) -> str:
        """What the plot shows, in words."""
        return self.figure.alt

    def _repr_html_(self) -> str:
        return _framed([self], f"Gate of {self.title}")


class Figures(Mapping[str, InlineFigure]):
    """The plots of a tube by the name of their population; shown together where a cell ends with them."""

    def __init__(self, sample_id: str, figures: Mapping[str, InlineFigure]) -> None:
        self.sample_id = sample_id
        self._figures = dict(figures)

    def __getitem__(self, population: str) -> InlineFigure:
        """Return the plot of a population; the error for another name has the nearest one."""
        try:
            return self._figures[population]
        except KeyError:
            message = f"no plot of '{population}'; {did_you_mean(population, self._figures)}"
            raise KeyError(message) from None

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the populations, in the order of the report."""
        return iter(self._figures)

    def __len__(self) -> int:
        """Return the number of plots."""
        return len(self._figures)

    def __repr__(self) -> str:
        """Name the populations."""
        return f"<plots of {self.sample_id}: {', '.join(self) or 'none'}>"

    def _repr_html_(self) -> str:
        return _framed([*self.values()], f"Gates of {self.sample_id}")


def figures(result: SampleResult) -> Figures:
    """Return the gate plots of a tube's report.

    Parameters
    ----------
    result : SampleResult
        Of ``analyze``, or read from a folder of results.

    Returns
    -------
    Figures
        A mapping from population to plot. A notebook draws what a cell ends with: all of them, or one, such as
        ``figures(result)["msc"]``. Nothing is fetched, and no further package is needed.

    Examples
    --------
    >>> figures(result)["msc"]  # doctest: +SKIP
    """
    values = SECTION.build(result) or {"cards": (), "folded": ()}
    cards = {card["population"]: card for card in (*values["cards"], *values["folded"])}
    shown = [name for view in result.views if (name := view.population) in cards]
    return Figures(
        result.sample_id,
        {name: InlineFigure(name, cards[name]["name"], cards[name]["figure"]) for name in shown},
    )


def _framed(shown: list[InlineFigure], title: str) -> str:
    """Return a frame that holds a whole page, as HTML of one element."""
    rows = -(-len(shown) // _BESIDE)
    height = min(rows * (_ROW_PX + _CAPTION_PX) + _LINE_PX, _TALLEST_PX)
    look = f"width:100%;height:{height}px;border:0;background:#fff"
    values = {"title": title, "sandbox": "allow-scripts", "style": look, "srcdoc": _page(shown, title)}
    return (
        "<iframe " + " ".join(f'{name}="{escape(value, quote=True)}"' for name, value in values.items()) + "></iframe>"
    )


def _page(shown: list[InlineFigure], title: str) -> str:
    figures: list[dict[str, Any]] = [{"spec": each.spec, "alt": each.alt, "title": each.title} for each in shown]
    digest = hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).digest()
    nonce = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    template = environment().get_template("inline.html.j2")
    return template.render(title=title, figures=figures, packed=_packed(), nonce=nonce, research_use=RESEARCH_USE)


@cache
def _packed() -> str:
    return base64.b64encode(gzip.compress(plotly_asset(), mtime=0)).decode()
