"""Frozen values that travel between the rooms: no I/O, no plotting, no decisions.

Two tools for two jobs: what holds arrays or is needed at full speed is a frozen dataclass (``sample``, ``panel``,
``gates``, ``scales``); what is a document on disk is a pydantic model (``template``, ``result``, ``config``).
"""
