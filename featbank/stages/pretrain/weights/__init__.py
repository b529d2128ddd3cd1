"""Where a run's weights begin: drawn, warm-started or a frozen teacher's."""
