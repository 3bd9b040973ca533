"""How right the tool is on simulated marrow whose truth is known: ``python -m benchmarks.accuracy``.

==============  =======================================================================
``seeds``       which random numbers may be tuned on, and which figures come from
``plan``        which tubes: scenarios, spike series, batch shift
``controls``    the FMO tubes beside a tube
``locks``       the template with locked gates, and the batches they are locked over
``tube``        one tube: simulate, analyse, compare with the truth, beside two rivals
``rivals``      what a lab does without the tool: fixed gates, and quadrants on FMO
``warnings``    which findings of a tube speak of the MSC count
``scores``      what is kept of one tube gated by one method
``figures``     what a figure is, and its bar
``measures``    from tubes to figures
``shifts``      what a change of the detectors does to the count
``traps``       what leads gates astray, and what it costs
``tables``      figures as text, CSV and JSON
==============  =======================================================================
"""
