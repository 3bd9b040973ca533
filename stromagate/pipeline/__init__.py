"""The stages put together: one tube, a batch, and what lies on disk."""
