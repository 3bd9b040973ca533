"""From the bytes of an FCS file to a sample, and back."""

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
