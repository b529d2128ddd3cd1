"""Parts of the report stage: what is chosen, what was run, what the map shows."""
