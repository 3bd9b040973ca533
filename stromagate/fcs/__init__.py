"""From the bytes of an FCS file to a sample, and back."""
