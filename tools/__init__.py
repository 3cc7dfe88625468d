"""What our Jobs run inside the cluster: the model importer and the bucket keeper."""
