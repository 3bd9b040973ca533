"""The detectors of the larger panels: their dyes, noise and spillover beside those of the usual panel, as data.

A fifth, ultraviolet laser carries the DNA dye and two further dyes. Shares are ordinary values for such dyes on such an
instrument (below 5 %; neighbours and tandems 5 to 25 %), of no particular one.
"""

from __future__ import annotations

from collections.abc import Mapping

from stromagate.simulate.panel import DETECTORS, STROMA_CORE_8, Detector, Shares

FURTHER_DETECTORS = (
    Detector("BV510-A", "", "BV510", 12.0, 26.0, 0.95, 500),
    Detector("BV605-A", "", "BV605", 7.0, 24.0, 0.45, 540),
    Detector("BV650-A", "", "BV650", 7.0, 24.0, 0.30, 560),
    Detector("BV786-A", "", "BV786", 9.0, 28.0, 0.20, 600),
    Detector("PE-CF594-A", "", "PE-CF594", 4.0, 20.0, 0.38, 510),
    Detector("7-AAD-A", "", "7-AAD", 10.0, 25.0, 0.30, 600),
    Detector("APC-R700-A", "", "APC-R700", 8.0, 26.0, 0.10, 580),
    Detector("BUV395-A", "", "BUV395", 8.0, 24.0, 0.55, 450),
    Detector("BUV737-A", "", "BUV737", 9.0, 27.0, 0.15, 560),
    Detector("UV450-A", "", "Hoechst 33342", 9.0, 24.0, 0.75, 430),
)

DETECTORS_BY_NAME: Mapping[str, Detector] = {each.pnn: each for each in (*DETECTORS, *FURTHER_DETECTORS)}

# Per cent of the dye (outer name) in the detector (inner name), where one of the two is a further one.
_FURTHER_PCT: Shares = {
    "FITC-A": {"BV510-A": 1.5, "PE-CF594-A": 0.2},
    "PerCP-Cy5-5-A": {"BV650-A": 1.5, "BV786-A": 6.0, "APC-R700-A": 8.0, "BUV737-A": 5.0, "PE-CF594-A": 0.1},
    "BV421-A": {"BV510-A": 5.0, "BV605-A": 0.8, "BV650-A": 0.4, "BV786-A": 0.3, "UV450-A": 4.0, "BUV395-A": 0.5},
    "BV711-A": {"BV605-A": 0.4, "BV650-A": 2.5, "BV786-A": 14.0, "APC-R700-A": 6.0, "BUV737-A": 8.0},
    "PE-A": {"BV605-A": 4.5, "BV650-A": 0.8, "PE-CF594-A": 18.0, "7-AAD-A": 7.0, "BV510-A": 0.1},
    "PE-Cy7-A": {"BV786-A": 4.5, "PE-CF594-A": 0.8, "BUV737-A": 1.0, "7-AAD-A": 0.6},
    "APC-A": {"BV650-A": 4.0, "APC-R700-A": 11.0, "BV786-A": 0.5, "BUV737-A": 0.8, "7-AAD-A": 0.5},
    "APC-Cy7-A": {"APC-R700-A": 1.5, "BV786-A": 5.0, "BUV737-A": 0.6},
    "BV510-A": {"BV421-A": 1.5, "BV605-A": 14.0, "BV650-A": 6.0, "BV711-A": 2.5, "BV786-A": 2.0, "FITC-A": 2.5},
    "BV605-A": {"BV421-A": 1.2, "BV510-A": 1.0, "BV650-A": 22.0, "BV711-A": 9.0, "BV786-A": 4.5, "PE-A": 2.5}
    | {"PE-CF594-A": 6.0},
    "BV650-A": {"BV421-A": 1.5, "BV605-A": 1.5, "BV711-A": 20.0, "BV786-A": 9.0, "APC-A": 9.0, "APC-R700-A": 4.0},
    "BV786-A": {"BV421-A": 2.0, "BV711-A": 2.5, "BV605-A": 0.3, "APC-Cy7-A": 5.0, "PE-Cy7-A": 4.0},
    "PE-CF594-A": {"PE-A": 9.0, "BV605-A": 5.0, "BV650-A": 2.5, "PerCP-Cy5-5-A": 14.0, "7-AAD-A": 22.0}
    | {"PE-Cy7-A": 3.0, "BV711-A": 1.5},
    "7-AAD-A": {"PE-A": 1.5, "PE-CF594-A": 12.0, "PE-Cy7-A": 4.0, "APC-A": 2.0, "APC-R700-A": 2.5, "BV650-A": 1.5},
    "APC-R700-A": {"APC-A": 4.0, "APC-Cy7-A": 12.0, "BV711-A": 5.0, "BV786-A": 3.0, "PerCP-Cy5-5-A": 3.0}
    | {"BUV737-A": 5.0},
    "BUV395-A": {"UV450-A": 3.0, "BV421-A": 0.1, "BUV737-A": 0.4},
    "BUV737-A": {"BUV395-A": 3.0, "UV450-A": 1.0, "BV711-A": 6.0, "BV786-A": 10.0, "APC-R700-A": 7.0},
    "UV450-A": {"BUV395-A": 1.0, "BV421-A": 6.0, "BV510-A": 2.0, "BUV737-A": 0.3},
}


def _turned(shares: Shares) -> Shares:
    """Return the pairs of the second family's filters: each pair takes half of what its mirror image had."""
    names = DETECTORS_BY_NAME
    return {
        dye: {
            detector: 0.6 * shares.get(dye, {}).get(detector, 0.0) + 0.5 * shares.get(detector, {}).get(dye, 0.0)
            for detector in names
            if detector != dye
        }
        for dye in names
    }


def _with_usual(usual: Shares, further: Shares) -> Shares:
    return {dye: {**further.get(dye, {}), **usual.get(dye, {})} for dye in DETECTORS_BY_NAME}


SPILLOVER_PCT = _with_usual(STROMA_CORE_8.spillover_pct, _FURTHER_PCT)
SPILLOVER_B_PCT = _with_usual(STROMA_CORE_8.spillover_b_pct, _turned(_FURTHER_PCT))

VOLTAGE_B_DECADES: Mapping[str, float] = {
    **STROMA_CORE_8.voltage_b_decades,
    "BV510-A": 0.10,
    "BV605-A": -0.15,
    "BV650-A": 0.15,
    "BV786-A": -0.10,
    "PE-CF594-A": 0.20,
    "7-AAD-A": -0.15,
    "APC-R700-A": 0.10,
    "BUV395-A": -0.10,
    "BUV737-A": 0.15,
    "UV450-A": 0.10,
}
