"""What happened is recorded, and kept."""
