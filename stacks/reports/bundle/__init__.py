"""What a site without a way to the internet needs of a stack: the lock, and what mirroring tools take."""
