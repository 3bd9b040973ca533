"""What a review of a finished run needs beside the page that shows it: no HTTP in here.

================== ===================================================================================================
``order``          which gate is most likely wrong on which tube, and why
``files``          FCS files of a run found again by their content
``tubes``          tubes opened again on their own boundaries, and those looked at last kept open
``opened``         one of them: its plots, its controls laid over, what moved boundaries give
``preview``        the numbers of a moved boundary, before and after
``store``          boundaries that readers moved, saved so that no window loses another's
``fitted``         what edits of a tube are held against, and edits put together
``refused``        what is not written, and why: another window came first, the tube is signed
``drafts``         moves that nobody saved yet
``same_edit``      the same edit on other tubes
``journal``        the folder of a review under its lock: said first, then done, if need be after a crash
``audit``          who did what, when and why: a chain of lines that shows what was taken out
``signoff``        signatures, bound to what was signed
``companions``     what a run was given beside its tubes, found again by its content
``rerun``          the same run again with the readers' boundaries
``readers``        two readers of the same tubes compared
``verify``         whether a folder is what was written, and its numbers what its files give:
                   ``checked_review``, ``checked_numbers``; ``differences`` are what it says
================== ===================================================================================================
"""
