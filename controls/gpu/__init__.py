"""GPUs go to whom they were allocated."""
