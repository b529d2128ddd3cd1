"""Several processes and memory: DDP, FSDP2, numbers summed over ranks."""
