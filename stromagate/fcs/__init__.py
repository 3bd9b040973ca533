"""From the bytes of an FCS file to a sample, and back.

In the order in which a file meets them:

======================================= ==============================================================================
``inputs``                              which files are meant, and the hash of each
``source``, ``limits``, ``numbers``     opening a file, how much it may ask for, numbers as FCS writes them
``header``, ``text``, ``keywords``      the first 58 bytes; the TEXT segment; which keywords decide the numbers
``datasets``                            which data set of a file is read
``layout``, ``channels``, ``spillover`` an event in bytes; names, ranges and scales of its columns; the stated matrix
``surroundings``, ``checksum``          supplemental TEXT, ANALYSIS and what stands at the end of the file
``data_place``, ``segments``,           where DATA is: the question, the weighing of claims, what the bytes say
``evidence``
``repairs``                             every departure from the plain case, under the policy
``decode``, ``scale``                   bytes to stored values, stored values to scale values
``opened``, ``read``                    the whole of it: a file checked, its blocks, a sample
``identity``, ``person_patterns``       which keywords may tell who a patient is
``compose``, ``write``, ``witness``     HEADER and TEXT put together, files written; other readers' opinions
``kept_keywords``, ``left_out``,        a copy without what may tell who it is of
``scrub``
======================================= ==============================================================================
"""

from stromagate.fcs.inputs import find_inputs, hash_file
from stromagate.fcs.opened import FcsFile, FcsHeader, open_fcs, read_header
from stromagate.fcs.read import read_fcs, read_raw
from stromagate.fcs.write import write_fcs

__all__ = [
    "FcsFile",
    "FcsHeader",
    "find_inputs",
    "hash_file",
    "open_fcs",
    "read_fcs",
    "read_header",
    "read_raw",
    "write_fcs",
]
