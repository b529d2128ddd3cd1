"""The command line: options to one call to one line of output. One command, one file; no logic."""
