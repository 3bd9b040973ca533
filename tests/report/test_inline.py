"""Plots in a notebook: each stands in a frame of its own, needs no network, and shows foreign text as text."""

from __future__ import annotations

import re
from html import unescape

import pytest

from stromagate.model.result import RESEARCH_USE
from stromagate.report.figures import plotly_asset
from stromagate.report.inline import figures
from tests.report.pages import full_result
from tests.results import make_result


def page(shown: str) -> str:
    """Return the page inside the frame."""
    (inner,) = re.findall(r'^<iframe [^<>]*srcdoc="([^"]*)"></iframe>$', shown)
    return unescape(inner)


def test_all_plots_are_there_in_the_order_of_the_report() -> None:
    result = full_result(15)
    made = figures(result)
    assert list(made) == [view.population for view in result.views]
    assert len(made) == len(result.views) > 1
    assert repr(made).startswith(f"<plots of {result.sample_id}: {result.views[0].population}, ")
    for each in made.values():
        assert set(each.spec) == {"data", "layout"}
        assert each.alt.endswith(".")


def test_one_plot_or_all_show_themselves() -> None:
    made = figures(make_result())
    one, every = page(made["msc"]._repr_html_()), page(made._repr_html_())
    assert one.count('<script type="application/json"') == 1
    assert every.count('<script type="application/json"') == len(made)
    for shown in (one, every):
        assert RESEARCH_USE in shown
        assert made["msc"].alt in unescape(shown)


def test_the_frame_runs_its_own_script_and_fetches_nothing() -> None:
    shown = figures(make_result())["msc"]._repr_html_()
    assert 'sandbox="allow-scripts"' in shown
    inner = page(shown)
    assert "default-src 'none'" in inner
    assert not re.findall(r"(?:src|href)\s*=", inner.replace("default-src", ""))
    assert len(shown) < len(plotly_asset()) / 2


def test_foreign_text_stays_text() -> None:
    loud = {"msc": '</script><script>alert(1)</script>"><img src=x>'}
    shown = figures(make_result(labels_of_populations=loud))["msc"]._repr_html_()
    assert "<script>alert" not in shown
    assert shown.count("<") == 2
    inner = page(shown)
    assert "<script>alert" not in inner
    assert "<img" not in inner


def test_the_same_result_gives_the_same_bytes() -> None:
    assert figures(make_result())._repr_html_() == figures(make_result())._repr_html_()


def test_a_name_that_is_not_there_has_the_nearest_one_for_a_hint() -> None:
    made = figures(make_result())
    assert "mscs" not in made
    with pytest.raises(KeyError, match="no plot of 'mscs'; did you mean 'msc'"):
        made["mscs"]


def test_a_result_without_plots_says_so() -> None:
    made = figures(make_result(views=()))
    assert len(made) == 0
    assert "The result holds no plots." in page(made._repr_html_())
