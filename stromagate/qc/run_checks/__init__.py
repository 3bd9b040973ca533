"""Checks of all tubes of a run together: one file each, found by itself."""
