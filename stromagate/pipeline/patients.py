"""Pages of patients with several tubes: of a cohort, and of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from stromagate.model.cohort import Cohort
from stromagate.model.result import SampleResult
from stromagate.model.specimen import is_stained
from stromagate.pipeline.bundle import PATIENTS
from stromagate.pipeline.cohort_tubes import Around, Taken, assemble
from stromagate.pipeline.tubes import slug
from stromagate.report import render_patient
from stromagate.report.build import Plotly

REPORT = "../samples/{}/report.html"


@dataclass(frozen=True, slots=True)
class PatientPage:
    """The page of one patient: its file in ``patients/``, and the tubes that it is of."""

    patient: str
    file: str
    content: bytes
    tubes: frozenset[str]

    def of(self, cohort: Cohort) -> bool:
        """Whether it shows a tube of a cohort."""
        return any(tube.name in self.tubes for tube in cohort.tubes)


def patient_pages(
    cohorts: Sequence[Cohort], links: Mapping[str, str], plotly: Plotly = "shared", *, homes: Mapping[str, str]
) -> list[PatientPage]:
    """Return the pages of patients with two tubes or more.

    Parameters
    ----------
    cohorts : sequence of Cohort
        All tubes of each template; a patient with tubes of two templates has a page of each.
    links : mapping of str to str
        Address of a tube's report by the tube's name, from the folder of the pages.
    plotly : {"shared", "inline"}
        Whether plotly.js is read from ``../assets/`` or stands in each page.
    homes : mapping of str to str
        Page of all tubes, from the folder above, by the tube's name.
    """
    pages: list[PatientPage] = []
    used: set[str] = set()
    by_patient = [cohort.patients for cohort in cohorts]
    for place, cohort in enumerate(cohorts):
        for patient, tubes in by_patient[place].items():
            if sum(len(tube.samples) for each in by_patient for tube in each.get(patient, [])) < 2:
                continue
            name, n = slug(patient), 2
            while name.casefold() in used:
                name, n = f"{slug(patient)}-{n}", n + 1
            used.add(name.casefold())
            others = [_elsewhere(other, patient) for other in cohorts if other is not cohort]
            page = render_patient(
                cohort,
                patient,
                plotly,
                links=links,
                elsewhere=[line for line in others if line],
                home=f"../{homes[tubes[0].name]}",
                root="../",
            )
            pages.append(PatientPage(patient, f"{name}.html", page.encode(), frozenset(tube.name for tube in tubes)))
    return pages


def _elsewhere(other: Cohort, patient: str) -> str:
    """Say which tubes of a patient were gated with another template; empty where none was."""
    tubes = other.patients.get(patient, [])
    if not tubes:
        return ""
    named = ", ".join(name for tube in tubes for name in tube.samples)
    template = other.template
    return f"{named} gated with {template.name} {template.version}: numbers by other gates are other numbers"


def addresses(pages: Sequence[PatientPage]) -> dict[str, str]:
    """Return the way from the page of a run to each patient's."""
    return {page.patient: f"{PATIENTS}/{page.file}" for page in pages}


def pages_of_run(results: Sequence[SampleResult], plotly: Plotly = "shared") -> list[PatientPage]:
    """Return the pages of patients with several stained tubes in one run.

    Parameters
    ----------
    results : sequence of SampleResult
        Of one run, controls among them.
    plotly : {"shared", "inline"}
        As for ``patient_pages``.
    """
    stained = [result for result in results if is_stained(result.labels)]
    named = [result.labels.get("patient_id", "").strip() for result in stained]
    several = [result for result, patient in zip(stained, named, strict=True) if patient and named.count(patient) > 1]
    if not several:
        return []
    cohort = assemble([Taken(result, "", result.sample_id) for result in several], Around())
    links = {result.sample_id: REPORT.format(quote(result.sample_id, errors="replace")) for result in several}
    return patient_pages([cohort], links, plotly, homes={tube.name: "index.html" for tube in cohort.tubes})
