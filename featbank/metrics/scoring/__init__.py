"""What metrics are scored with: counts, averages, intervals, thresholds, comparisons."""
