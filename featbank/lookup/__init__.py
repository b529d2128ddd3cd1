"""What words mean in a bank: which store, result or sample, and what it is called."""
