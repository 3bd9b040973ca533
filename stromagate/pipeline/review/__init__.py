"""What a review of a finished run needs beside the page that shows it: no HTTP in here.

================== ===================================================================================================
``order``          which gate is most likely wrong on which tube, and why
``files``          FCS files of a run found again by their content
``tubes``          a tube opened again on its own boundaries, and what a moved one would give
``store``          boundaries that readers moved, saved so that no window loses another's
``audit``          who did what, when and why: a chain of lines that shows what was taken out
``signoff``        signatures, bound to what was signed
``rerun``          the same run again with the readers' boundaries
``verify``         whether a folder is what was written, and its numbers what its files give
================== ===================================================================================================
"""
