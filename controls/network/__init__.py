"""Control planes and buckets are closed to the world."""
