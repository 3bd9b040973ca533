"""One file a section of the tube's report; the file's name is the section's name."""
