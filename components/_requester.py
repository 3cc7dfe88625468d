"""CEL about who makes a request, for policies of the API server."""

CONTROLLER = (
    "request.userInfo.username == 'system:kube-controller-manager' || "
    "request.userInfo.username.startsWith('system:serviceaccount:kube-system:')"
)
"""Whether a controller of Kubernetes itself does."""
ADMINISTRATOR = (
    "authorizer.group('admissionregistration.k8s.io').resource('validatingadmissionpolicies')"
    ".check('delete').allowed()"
)
"""Whether somebody does who could delete the policies themselves; the program is one of them."""


def service_account(namespace: str, name: str) -> str:
    """Whether this service account does."""
    return f"request.userInfo.username == 'system:serviceaccount:{namespace}:{name}'"
