"""What a run's settings become: hyper-parameters, lengths, rows, imagery, recipe."""
