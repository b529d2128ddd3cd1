"""Benchmarks: ratios measured in one run, written to a results file; never timed tests."""
