"""Evidence that the policy pack ran with a deployment."""

from corral.components.policy_evidence.component import PolicyEvidence, PolicyEvidenceArgs

__all__ = ["PolicyEvidence", "PolicyEvidenceArgs"]
