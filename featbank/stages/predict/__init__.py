"""What ``predict`` is made of: saved probes, recipes that match or are followed, tables."""
