#!/usr/bin/env python3
"""`aws` of the tests, simulated: of AWS's command line it has `eks get-token` alone.

It prints the token that the test provider has put down for the cluster, as AWS's command prints one that it
signs; both are an ExecCredential.
"""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Exits as AWS's command does: 252 for a call that it does not know, 254 for one that AWS refuses."""
    options = dict(zip(arguments[2::2], arguments[3::2], strict=False))
    if arguments[:2] != ["eks", "get-token"] or set(options) != {"--cluster-name", "--region", "--output"}:
        print(f"aws (simulated): only eks get-token is there, not {' '.join(arguments)}", file=sys.stderr)
        return 252
    place = Path(os.environ["SIMULATED_AWS"]) / options["--cluster-name"]
    if not place.is_file():
        print(f"aws (simulated): no access entry of {place.name}", file=sys.stderr)
        return 254
    asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
    expires = datetime.now(UTC) + timedelta(minutes=14)
    status = {"expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ"), "token": place.read_text()}
    credential = {"kind": "ExecCredential", "apiVersion": asked["apiVersion"], "spec": {}, "status": status}
    print(json.dumps(credential))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
