"""Resources lie where the profile says, by exact sets and partitions."""
