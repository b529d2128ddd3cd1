"""A procedural landscape, and what sensors see of it."""
