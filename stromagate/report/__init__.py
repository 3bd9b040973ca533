"""From results to pages a person reads."""
