"""From text to a typed gating template, and where the shipped ones are."""
