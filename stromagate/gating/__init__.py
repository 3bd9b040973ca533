"""From a prepared tube and a template to fitted boundaries and the members they make."""
