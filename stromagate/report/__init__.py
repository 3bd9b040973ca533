"""From results to pages a person reads."""

from stromagate.report.build import (
    render_cohort,
    render_history,
    render_index,
    render_miflowcyt,
    render_patient,
    render_sample,
)
from stromagate.report.figures import plotly_asset

__all__ = [
    "plotly_asset",
    "render_cohort",
    "render_history",
    "render_index",
    "render_miflowcyt",
    "render_patient",
    "render_sample",
]
