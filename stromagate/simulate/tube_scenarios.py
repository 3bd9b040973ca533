"""Scenarios by what happens to the tube, as declared data: the run, the instrument and batch, the lab's mistakes."""

from __future__ import annotations

from stromagate.simulate.faults import LabFaults, RunFaults
from stromagate.simulate.mixes import HEALTHY_MARROW
from stromagate.simulate.scenario import Scenario

RUNS = (
    Scenario(
        "drift",
        "Two detectors lose or gain light by a fifth of a decade over the run",
        HEALTHY_MARROW,
        run=RunFaults(drift_decades=0.2, drift_channels=2),
    ),
    Scenario("clog", "Two clogs: few events, and dim ones", HEALTHY_MARROW, run=RunFaults(clogs=2)),
    Scenario("bubbles", "Four air bubbles in the stream", HEALTHY_MARROW, run=RunFaults(bubbles=4)),
    Scenario(
        "carryover",
        "One event in a thousand left over from a tube rich in progenitors",
        HEALTHY_MARROW,
        run=RunFaults(carryover_frac=0.001),
    ),
    Scenario(
        "rough_run",
        "Drift, clogs, bubbles and carryover in one tube",
        HEALTHY_MARROW,
        run=RunFaults(drift_decades=0.12, drift_channels=2, clogs=3, bubbles=3, carryover_frac=0.0005),
    ),
)

BATCHES = (
    Scenario(
        "everyday",
        "What two days in a lab differ by: gain, spillover, autofluorescence, lot, a matrix not quite right",
        HEALTHY_MARROW,
        lab=LabFaults(gain_sd_decades=0.10, spillover_jitter_frac=0.10, matrix_error_frac=0.03, af_sd_frac=0.20),
    ),
    Scenario("two_batch_a", "A marrow measured in a first batch", HEALTHY_MARROW, donor="two_batch"),
    Scenario(
        "two_batch_b",
        "The same marrow in a second batch, all detectors 0.15 decade brighter",
        HEALTHY_MARROW,
        donor="two_batch",
        batch="batch_02",
        lab=LabFaults(gain_shift_decades=0.15),
    ),
    Scenario(
        "other_voltages",
        "A tube acquired at voltages that its matrix is not for",
        HEALTHY_MARROW,
        lab=LabFaults(other_voltage_decades={"CD146": 0.35, "CD271": 0.25, "CD45": -0.2, "CD31": 0.2}),
    ),
    Scenario(
        "scatter_ceiling",
        "Scatter set for lymphocytes: a third of the MSC at the ceiling",
        HEALTHY_MARROW,
        lab=LabFaults(scatter_gain=1.75),
    ),
)

MISTAKES = (
    Scenario(
        "bad_compensation",
        "A matrix that is wrong by a tenth everywhere",
        HEALTHY_MARROW,
        lab=LabFaults(matrix_error_frac=0.10),
    ),
    Scenario(
        "double_compensation",
        "Values compensated at export, with the matrix still in the file",
        HEALTHY_MARROW,
        lab=LabFaults(compensated_twice=True),
    ),
    Scenario("antibody_omitted", "CD31 was not pipetted", HEALTHY_MARROW, lab=LabFaults(omitted=("CD31",))),
    Scenario(
        "antibody_wrong",
        "The PE antibody binds CD105 instead of CD271",
        HEALTHY_MARROW,
        lab=LabFaults(wrong_antibody={"CD271": "CD105"}),
    ),
    Scenario(
        "labels_transposed",
        "The names of CD271 and CD105 stand on each other's detector",
        HEALTHY_MARROW,
        lab=LabFaults(transposed=("CD271", "CD105")),
    ),
    Scenario("fmo_missing", "Nobody stained an FMO tube", HEALTHY_MARROW, fmo_frac=0.0),
    Scenario("fmo_small", "FMO tubes of a fiftieth of the events", HEALTHY_MARROW, fmo_frac=0.02),
    Scenario(
        "fmo_other_day",
        "FMO tubes run on another day than the stained tube",
        HEALTHY_MARROW,
        fmo_batch="another_day",
        lab=LabFaults(gain_sd_decades=0.10),
    ),
    Scenario("low_n", "A dry tap: a twentieth of the usual events", HEALTHY_MARROW, n_events=10_000),
)
