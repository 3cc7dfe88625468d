"""The CrossGuard door: `pulumi up --policy-pack policy`."""

import gc


def main() -> None:
    """Serve the pack; does not return."""
    gc.disable()  # A third of the time of these imports would go to looking for garbage that is none.
    from corral.policy.pack import start

    gc.freeze()
    gc.enable()
    start()


main()
