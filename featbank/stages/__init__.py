"""Stages: the only places where rooms meet. One file, one command's work."""
