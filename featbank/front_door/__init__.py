"""Most of what the command line does, as functions; each imports what it needs when called."""
