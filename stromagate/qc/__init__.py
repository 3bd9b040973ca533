"""What may be wrong with a tube: checks that turn values into findings."""
