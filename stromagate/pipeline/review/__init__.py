"""What a review of a finished run needs beside the page that shows it: no HTTP in here.

================== ===================================================================================================
``order``          which gate is most likely wrong on which tube, and why
``files``          FCS files of a run found again by their content
``tubes``          tubes opened again on their own boundaries, and those looked at last kept open
``opened``         one of them: its plots, its controls laid over, what moved boundaries give
``preview``        the numbers of a moved boundary, before and after
``store``          boundaries that readers moved, saved so that no window loses another's
``audit``          who did what, when and why: a chain of lines that shows what was taken out
``signoff``        signatures, bound to what was signed
``rerun``          the same run again with the readers' boundaries
``verify``         whether a folder is what was written, and its numbers what its files give
================== ===================================================================================================
"""
