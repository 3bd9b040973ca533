"""The review of a finished run in the browser: this machine to this machine, no network, nothing fetched.

============== =======================================================================================================
``app``        the addresses, and what answers each
``security``   who is let in, and the headers of every answer
``review``     the run under review: its results, its readers' edits, its open tubes
``grid``       one gate on all tubes, the most likely wrong first
``sample``     one tube: its ladder, its plots, what a moved boundary gives
``changes``    edits, signatures, the run again
``server``     the program that listens
``static``     what the browser runs: our own few hundred lines, nothing from elsewhere
============== =======================================================================================================
"""
