"""The policy by which a project has resources in one region alone."""

import pulumi
import pulumi_gcp as gcp

from corral.components._gcp import GcpSite

CONSTRAINT = "gcp.resourceLocations"


def location_policy(site: GcpSite) -> pulumi.Resource:
    """`gcp.resourceLocations` with the region; what is there already in other places stays."""
    allowed = gcp.orgpolicy.PolicySpecRuleValuesArgs(allowed_values=[f"in:{site.region}-locations"])
    return gcp.orgpolicy.Policy(
        f"{site.name}-locations",
        name=f"projects/{site.project}/policies/{CONSTRAINT}",
        parent=f"projects/{site.project}",
        spec=gcp.orgpolicy.PolicySpecArgs(
            rules=[gcp.orgpolicy.PolicySpecRuleArgs(values=allowed)],
        ),
        opts=site.child(),
    )
