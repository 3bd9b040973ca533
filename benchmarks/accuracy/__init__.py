"""How right the tool is on simulated marrow whose truth is known: ``python -m benchmarks.accuracy``.

==============  =======================================================================
``seeds``       which random numbers may be tuned on, and which figures come from
``plan``        which tubes: scenarios, spike series, batch shift
``tube``        one tube: simulate, analyse, compare with the truth, beside two rivals
``rivals``      what a lab does without the tool: fixed gates, and quadrants on FMO
``warnings``    which findings of a tube speak of the MSC count
``measures``    from tubes to figures, each with its bar
``tables``      figures as text, CSV and JSON
==============  =======================================================================
"""
