"""How well automatic gates find what people drew on real files: ``python -m benchmarks.labelled``.

==============  =======================================================================
``sets``        which labelled files there are, and which populations were drawn on them
``rivals``      two plain baselines on the same parents and axes
``scores``      F1 of the gates and of the baselines against the labels
``tables``      one line a population, and as CSV
``*.yaml``      the small templates the files are gated with
==============  =======================================================================

The files are read where they lie, and never copied.
"""
