"""Evidence of a deployment: what was held, what was not, and what was not checked, for an auditor."""
