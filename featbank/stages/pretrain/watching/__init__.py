"""What is seen of a run while it goes: records, the watch over collapse, the online probe."""
