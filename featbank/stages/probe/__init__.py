"""What ``probe`` is made of: what it reads, how it chooses, what stands beside its number."""
