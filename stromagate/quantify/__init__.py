"""From members to numbers with denominators, intervals and states."""
