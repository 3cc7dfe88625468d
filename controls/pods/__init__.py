"""What pods and identities of a cluster may do."""
