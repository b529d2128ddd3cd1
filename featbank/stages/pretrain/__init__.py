"""Self-supervised pretraining: from unlabelled imagery to a checkpoint that embed takes."""
