"""Control tubes: which belong to a tube, and what the gates of that tube are told of them.

In the order in which a batch meets them:

================ =====================================================================================================
``uses``         what a template's gates ask of controls, and what each control of a tube served for in the end
``roles``        what each tube of a sheet is for, in the template's words
``header``       what a file says of itself before any event is read
``comparison``   two tubes compared key by key, and what differs in lab words
``pairing``      the controls that belong to a tube: by the sheet's word, else by several keys
``lending``      markers that a control's own file does not name, as the stained tubes have them
``gated``        one control gated by the template, and all that is kept of it
``first_stage``  the whole of it, for all tubes of a batch
================ =====================================================================================================

Names load on first use: the analysis of one tube asks what its controls served for and needs no pairing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stromagate.pipeline.controls.gated import gate_control as gate_control


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use."""
    if name != "gate_control":
        message = f"module 'stromagate.pipeline.controls' has no attribute '{name}'"
        raise AttributeError(message)
    from stromagate.pipeline.controls.gated import gate_control

    return gate_control
