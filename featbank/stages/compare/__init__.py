"""What ``compare`` is made of: which results, which samples, which pairs."""
