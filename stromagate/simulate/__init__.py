"""Synthetic marrow whose truth is known."""
