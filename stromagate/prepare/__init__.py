"""Markers bound to channels, spillover taken out, scales chosen."""
