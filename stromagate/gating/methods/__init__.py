"""One file a gating method; the file's name is the method's name."""
