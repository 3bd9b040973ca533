"""Other people's formats: one file a format, each a pure function of results."""
