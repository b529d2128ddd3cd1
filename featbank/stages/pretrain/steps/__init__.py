"""What a step needs: batches, draws, masks, schedules, optimiser, moving average."""
