"""The accuracy bench: its rules and figures on made scores, and a guard on what the tool finds."""
