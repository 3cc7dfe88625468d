"""The CrossGuard door: `pulumi up --policy-pack policy`."""

from corral.policy.pack import start

start()
