"""Finished runs beside each other, or one beside a table exported from FlowJo: what differs, and by which gate.

================ =====================================================================================================
``runs``         two runs: tubes paired by the content of their files, what one alone has
``tubes``        one tube in both: numbers, the gate that moved them, pattern
``boundaries``   the ladder of a population in both, gate by gate and edge by edge
``flowjo``       a run beside FlowJo's counts: which differ by its bins, and which are others
``flowjo_paths`` FlowJo's names of populations and samples as the run has them
``flowjo_table`` the table that FlowJo's table editor exports, read
``table``        what differs as CSV, one number a row
================ =====================================================================================================
"""
