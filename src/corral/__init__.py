"""Corral: a sovereign, self-hosted LLM platform on Kubernetes, as a Pulumi program."""
