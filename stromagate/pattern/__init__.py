"""From one tube's numbers to a hedged call of its stromal pattern, or to the reason why there is none.

======================== ==============================================================================================
``call``                 the whole way: what may be called at all, how probable, and whether it holds
``evidence``             what a result says of P, Q, denominators and background
``rates``                Monte Carlo over counts, background and boundaries
``cut_points``           where a calibration parts low from high, with what its own size leaves open
``probabilities``        of the four patterns
``strata``               whether tube and calibration may be compared
``assessable``           whether this tube could have told, and what to acquire where not
``robustness``           the same call by other denominators, without blood, with gates moved
``indices``              P, Q and P/MSC with intervals and their place beside the calibration
``statement``            the call in words
``reference``            a calibration made of tubes: the lab's own controls, or a cohort
======================== ==============================================================================================

The publications behind it give directions and no cut-off (doi:10.1158/0008-5472.CAN-14-3379): without a calibration no
pattern is assigned.
"""

from stromagate.pattern.call import call_pattern as call_pattern
