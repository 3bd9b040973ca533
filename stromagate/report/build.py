"""Results in, pages out: one of a tube, one of a run. Pure functions; the same result gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from stromagate.log import tell
from stromagate.model.cohort import Cohort
from stromagate.model.history import ChartBook
from stromagate.model.pooled import PooledRun
from stromagate.model.result import RunFinding, RunIndex, SampleResult
from stromagate.model.template import Document
from stromagate.report import cohort as cohort_page
from stromagate.report import history, lookup, miflowcyt, overview, replicates, run_findings
from stromagate.report import patient as patient_page
from stromagate.report.figures import plotly_asset
from stromagate.report.section import Section, in_order
from stromagate.report.text import page_text

if TYPE_CHECKING:
    from jinja2 import Environment

Plotly = Literal["inline", "shared"]

LEVELS = {
    "L0": "none",
    "L1": "own controls",
    "L2": "relative to the cohort",
    "L3": "fitted on outcomes",
    "L4": "validated on a second cohort",
}

_HOUSE = "stromagate.report"

# Scripts run only with the page's nonce; nothing is fetched, sent or embedded. plotly.js sets styles while it draws and
# paints densities as data: images.
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src 'none'; base-uri 'none'; form-action 'none'"
)


def render_sample(result: SampleResult, plotly: Plotly = "shared") -> str:
    """Return the page of one tube.

    Parameters
    ----------
    result : SampleResult
        Everything the page says.
    plotly : {"shared", "inline"}
        Whether plotly.js is read from ``../../assets/`` or stands in the page (about 5 MB; one file to mail).
    """
    blocks = [block for name, section in in_order() if (block := _block(name, section, result)) is not None]
    return _page(
        "sample.html.j2",
        seed=_canonical(result),
        plotly=plotly,
        root="../../",
        result=result,
        blocks=blocks,
        notices=lookup.notices(result),
        level=f"{result.pattern.level} ({LEVELS[result.pattern.level]})",
    )


def _block(name: str, section: Section, result: SampleResult) -> dict[str, Any] | None:
    """Return a section with its values; one of another package that breaks costs itself, and the page says so."""
    foreign = section.package != _HOUSE
    try:
        values = section.build(result)
        if foreign and values is not None:  # tried here, where it can still be left out
            environment().get_template(f"{section.package}:{section.fragment}").render(v=values, result=result)
    except Exception as error:
        if not foreign:
            error.add_note(f"in the report section '{name}'")
            raise
        tell("report", "section", "section.failed", f"{name} of {section.package}", level=logging.WARNING)
        values = {"kind": type(error).__name__, "package": section.package}
        section = replace(section, fragment="not_made.html.j2", package=_HOUSE)
    return None if values is None else {"name": name, "section": section, "filled": values}


def render_index(
    run: RunIndex,
    results: Sequence[SampleResult],
    plotly: Plotly = "shared",
    pooled: PooledRun | None = None,
    *,
    charted: bool = False,
    patients: Mapping[str, str] | None = None,
) -> str:
    """Return the page of a whole run.

    Parameters
    ----------
    run : RunIndex
        What became of each tube.
    results : sequence of SampleResult
        Those that have a result, in the run's order.
    plotly : {"shared", "inline"}
        As for ``render_sample``; the shared copy is ``assets/`` beside the page.
    pooled : PooledRun, optional
        Its replicates.
    charted : bool
        Whether charts over earlier runs stand beside the page.
    patients : mapping of str to str, optional
        Address of a patient's page by patient, of those with several stained tubes.
    """
    values = overview.build(run, results) | {"replicates": replicates.build(pooled, results)}
    values |= {"together": run_findings.rows(run.findings), "charted": charted, "patients": dict(patients or {})}
    # Densities and gates are no part of the page.
    seed = _of_run(run) + "".join(_canonical(result, "views", "tree") for result in results)
    seed += json.dumps(sorted(values["patients"].items()))
    return _page("index.html.j2", seed=seed, plotly=plotly, root="", run=run, **values)


def render_history(book: ChartBook, findings: Sequence[RunFinding], plotly: Plotly = "shared") -> str:
    """Return the page of control charts over earlier runs.

    Parameters
    ----------
    book : ChartBook
        The charts.
    findings : sequence of RunFinding
        Of the run; those on drift are shown.
    plotly : {"shared", "inline"}
        As for ``render_index``.
    """
    values = history.build(book, findings)
    seed = _canonical(book) + "".join(_canonical(finding) for finding in findings)
    return _page("history.html.j2", seed=seed, plotly=plotly, root="", book=book, **values)


def render_miflowcyt(run: RunIndex, results: Sequence[SampleResult], plotly: Plotly = "shared") -> str:
    """Return the page with the MIFlowCyt table of a run.

    Parameters
    ----------
    run, results, plotly
        As for ``render_index``.
    """
    values = miflowcyt.page_values(results)
    seed = _of_run(run) + json.dumps([result.sample_id for result in results])
    seed += repr(values)
    return _page("miflowcyt_run.html.j2", seed=seed, plotly=plotly, root="", run=run, **values)


def render_cohort(
    cohort: Cohort,
    plotly: Plotly = "shared",
    *,
    links: Mapping[str, str] | None = None,
    pages: Mapping[str, str] | None = None,
    root: str = "",
) -> str:
    """Return the page of a cohort.

    Parameters
    ----------
    cohort : Cohort
        Everything the page says.
    plotly : {"shared", "inline"}
        As for ``render_sample``; the shared copy is ``assets/`` below ``root``.
    links : mapping of str to str, optional
        Address of a tube's report by the tube's name.
    pages : mapping of str to str, optional
        Address of a patient's page by patient.
    root : str
        Way from the page to the folder that holds ``assets/``.
    """
    links, pages = links or {}, pages or {}
    values = cohort_page.build(cohort, links, pages)
    level = cohort.calibration.level if cohort.calibration else "L0"
    seed = _canonical(cohort) + json.dumps([sorted(links.items()), sorted(pages.items())])
    values["level"] = f"{level} ({LEVELS[level]})"
    return _page("cohort.html.j2", seed=seed, plotly=plotly, root=root, cohort=cohort, **values)


def render_patient(
    cohort: Cohort,
    patient: str,
    plotly: Plotly = "shared",
    *,
    links: Mapping[str, str] | None = None,
    elsewhere: Sequence[str] = (),
    home: str = "../cohort.html",
    root: str = "../",
) -> str:
    """Return the page of one patient of a cohort; see ``render_cohort``.

    Parameters
    ----------
    cohort : Cohort
        Holds the patient's tubes.
    patient : str
        Whose page it is.
    plotly, links, root
        As for ``render_cohort``.
    elsewhere : sequence of str
        What else there is of the patient that cannot stand here, in words.
    home : str
        Address of the page of all tubes.
    """
    links = links or {}
    values = patient_page.build(cohort, patient, links, elsewhere)
    level = cohort.calibration.level if cohort.calibration else "L0"
    own = cohort.model_copy(update={"tubes": tuple(cohort.patients[patient])})
    seed = _canonical(own) + json.dumps([sorted(links.items()), list(elsewhere), home])
    values |= {"level": f"{level} ({LEVELS[level]})", "home": home}
    return _page("patient.html.j2", seed=seed, plotly=plotly, root=root, cohort=cohort, **values)


def _page(template: str, *, seed: str, plotly: Plotly, **values: Any) -> str:
    """Fill a page. The nonce is made of everything shown, so nothing that is shown can contain it."""
    digest = hashlib.sha256(f"{template}\0{plotly}\0{seed}".encode()).digest()
    nonce = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    inline = _own_script(plotly_asset()) if plotly == "inline" else ""
    policy = _POLICY.format(nonce=nonce)
    page = environment().get_template(template)
    return page.render(nonce=nonce, policy=policy, plotly_js=inline, **values) + "\n"


def _of_run(run: RunIndex) -> str:
    """Return what of a run stands on its pages: times and prints differ from run to run and do not."""
    return _canonical(run, "times", "not_printed", *(() if run.not_exported else ("not_exported",)))


def _canonical(document: Document, *left_out: str) -> str:
    """Return the document as text that does not depend on the order in which its maps were filled."""
    return json.dumps(document.model_dump(mode="json", exclude=set(left_out)), sort_keys=True)


def _own_script(content: bytes) -> Any:
    """Mark plotly.js as not to be escaped: the one text that is trusted, because it comes with a package of ours."""
    from markupsafe import Markup

    text = content.decode()
    if "</script" in text.casefold() or "<!--" in text:
        raise ValueError("this plotly.js cannot stand inside a page")
    return Markup(text)


def environment() -> Environment:
    """Return what fills pages: it escapes every value, and finds the fragments of all packages that have sections."""
    packages = {section.package for _, section in in_order()} | {_HOUSE}
    return _environment(tuple(sorted(packages)))


@lru_cache(maxsize=4)
def _environment(packages: tuple[str, ...]) -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

    loaders = {}
    for name in packages:
        try:
            loaders[name] = PackageLoader(name, "html")
        except (ImportError, ValueError):  # no such folder: the section that names it will say so
            if name == _HOUSE:
                raise
    return Environment(
        loader=ChoiceLoader([loaders[_HOUSE], PrefixLoader(loaders, delimiter=":")]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalize(value: Any) -> Any:
    """Clean every text on its way into a page; what Jinja made itself (JSON, macros) passes."""
    return page_text(value) if type(value) is str else value
