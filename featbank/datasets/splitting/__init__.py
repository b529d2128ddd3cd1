"""How samples are split: publishers' lists, units, blocks, and what overlaps."""
