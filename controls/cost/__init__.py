"""What a stack's GPU nodes may cost is known and within its budget."""
