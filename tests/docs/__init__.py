"""The pages of ``docs/``."""
