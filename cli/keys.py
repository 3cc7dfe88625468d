"""`corral keys make|list|revoke TENANT [NAME]`: the keys by which applications call a tenant's models.

They are in a Secret of the cluster, in the form that Envoy Gateway reads, and nowhere else: neither in the
stack's state nor in a file. A change holds at once, without another `up`.
"""

import argparse
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from corral.catalogue.gateway import CALLER, NO_CALLER, keys_secret
from corral.catalogue.vocabulary import Addon
from corral.cli.console import progress
from corral.cli.errors import UsageError
from corral.cli.reach import kubectl_of
from corral.cli.stack import load
from corral.embedded.endpoint import SINCE, change_of_key, new_key
from corral.embedded.engine import drift, project
from corral.embedded.engine.engine import EngineError
from corral.stacks.config.errors import one_of
from corral.stacks.planning.results.plan import Plan


def keys(arguments: argparse.Namespace) -> int:
    """Make, list or revoke; a new key goes to standard output, all words to standard error.

    Raises:
        UsageError: no gateway, tenant or caller of that name, or a name that is taken.
        EngineError: the cluster does not answer, or has no Secret of keys.
    """
    plan = load(project.stack_file(project.find(), arguments.stack))
    action, name = arguments.action, arguments.name
    _check(plan, arguments.tenant, action, name)
    store = KeyStore(kubectl_of(plan, arguments.stack), _place(plan), arguments.tenant)
    if action == "list":
        for caller, since in store.callers().items():
            print(f"{caller}  {since}")
    elif action == "make":
        key = store.make(name)
        progress(f"key of {name}, which is shown this once; it opens {_opened(plan, arguments.tenant)}")
        print(key)
    else:
        store.revoke(name)
        progress(f"the key of {name} opens nothing any more")
    return 0


def _check(plan: Plan, tenant: str, action: str, name: str | None) -> None:
    if plan.gateway is None:
        raise UsageError(f"stack {plan.stack} has no section gateway, and so no keys")
    routes = {one.tenant: one for one in plan.gateway.tenants}
    if tenant not in routes:
        raise UsageError(f"no tenant {tenant}: {one_of(tenant, routes)}")
    tokens = routes[tenant].tokens
    if tokens is not None:
        raise UsageError(f"callers of tenant {tenant} show tokens of {tokens.issuer}, and no keys")
    if plan.secrets is not None and action != "list":
        place = f"{plan.secrets.prefix}{keys_secret(tenant)}"
        raise UsageError(
            f"keys of {tenant} are in the store of secrets, a field for each caller: change {place} there"
        )
    if action == "list":
        if name is not None:
            raise UsageError(
                f"keys list {tenant} {name}: a tenant's keys are listed together, without a name"
            )
    elif name is None:
        raise UsageError(f"keys {action} {tenant}: name the caller, such as `keys {action} {tenant} shop`")
    elif not re.fullmatch(CALLER, name) or name == NO_CALLER:
        raise UsageError(f"caller {name}: use 1 to 40 of a-z, 0-9 and -, and not {NO_CALLER}")


def _opened(plan: Plan, tenant: str) -> str:
    return "" if plan.gateway is None else plan.gateway.base_url(tenant)


def _place(plan: Plan) -> str:
    return plan.addon(Addon.ENVOY_GATEWAY).namespace


class KeyStore:
    """The Secret with the keys of one tenant's callers."""

    def __init__(self, kubectl: drift.Kubectl, namespace: str, tenant: str) -> None:
        self._kubectl = kubectl
        self._target = ["secret", keys_secret(tenant), f"--namespace={namespace}"]
        self._tenant = tenant

    def callers(self) -> dict[str, str]:
        """Day on which each caller's key was made, by name."""
        secret = self._read()
        known = cast(Mapping[str, str], secret["metadata"].get("annotations") or {})
        names = sorted(set(secret.get("data") or {}) - {NO_CALLER})
        return {name: known.get(f"{SINCE}{name}", "since when is not known") for name in names}

    def make(self, name: str) -> str:
        """A new key of the caller `name`.

        Raises:
            UsageError: the caller has one.
        """
        secret = self._read()
        if name in (secret.get("data") or {}):
            raise UsageError(
                f"{name} has a key of tenant {self._tenant}: revoke it first, or use another name"
            )
        key = new_key()
        self._change(secret, change_of_key(name, key))
        return key

    def revoke(self, name: str) -> None:
        """Take the key of the caller `name` away.

        Raises:
            UsageError: the caller has none.
        """
        secret = self._read()
        known = sorted(set(secret.get("data") or {}) - {NO_CALLER})
        if name not in known:
            raise UsageError(f"no key of {name} for tenant {self._tenant}: {one_of(name, known)}")
        self._change(secret, change_of_key(name, None))

    def _read(self) -> dict[str, Any]:
        done = self._kubectl.run(["get", *self._target, "--output=json"])
        if done.returncode:
            missing = "NotFound" in done.stderr
            more = "; the next `up` of the stack makes it" if missing else ""
            raise EngineError(f"the keys cannot be read: {drift.reason(done.stderr)}{more}")
        return json.loads(done.stdout)

    def _change(self, secret: Mapping[str, Any], change: Mapping[str, Any]) -> None:
        """The Secret changed, unless somebody else has changed it meanwhile."""
        version = secret["metadata"]["resourceVersion"]
        body = {**change, "metadata": {**change["metadata"], "resourceVersion": version}}
        # By standard input: arguments are there for all to see.
        patch = ["patch", *self._target, "--type=merge", "--patch-file=/dev/stdin", "--output=name"]
        done = self._kubectl.run(patch, json.dumps(body))
        if done.returncode:
            raise EngineError(f"the keys cannot be changed: {drift.reason(done.stderr)}")
