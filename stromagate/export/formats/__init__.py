"""One file a format; the file's name is the name of the format."""
