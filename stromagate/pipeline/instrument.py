"""What a result keeps of a file's keywords: the few that tell of the instrument and its detectors, never of anyone."""

from __future__ import annotations

from stromagate.fcs.identity import seen_in
from stromagate.fcs.kept_keywords import is_kept
from stromagate.model.config import RunConfig
from stromagate.model.sample import Sample

_ALLOWED = ("$CYT", "$DATATYPE", "$BYTEORD", "$MODE", "STROMAGATE_SIMULATED", "STROMAGATE_PREPARATION")
# Voltage, kind, wavelengths and power of the laser, filter, gain: what MIFlowCyt asks of a detector
# (doi:10.1002/cyto.a.20623, 3.3), each kept in the shape it has in the standard alone.
_OF_DETECTORS = "VTLOFG"


def instrument_of(sample: Sample, config: RunConfig) -> dict[str, str]:
    """Return the keywords that a result keeps; those of operators, patients and places are not among them.

    Parameters
    ----------
    sample : Sample
        The tube as it was read.
    config : RunConfig
        ``keywords`` may ask for none.
    """
    version = {"FCS version": sample.version}
    if config.keywords != "instrument":
        return version
    words = sample.keywords
    kept = {name: said for name in _ALLOWED if (said := words.get(name)) and not seen_in(name, said)}
    return {**version, **kept, **_detectors(sample)}


def _detectors(sample: Sample) -> dict[str, str]:
    names = [f"$P{channel.index + 1}{letter}" for channel in sample.channels for letter in _OF_DETECTORS]
    stated = {name: sample.keywords.get(name, "").strip() for name in names}
    return {name: said for name, said in stated.items() if said and is_kept(name, said, sample.pnn)}
