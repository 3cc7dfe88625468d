#!/usr/bin/env python3
"""`gke-gcloud-auth-plugin` of the tests, simulated.

It prints the token that the test provider has put down for the cluster at that address, as Google's plugin
prints that of the user; both are an ExecCredential.
"""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit


def main(arguments: list[str]) -> int:
    """Exits with 1 where there is no cluster, or the caller says nothing of it."""
    asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
    server = asked["spec"].get("cluster", {}).get("server", "")
    place = Path(os.environ["SIMULATED_GOOGLE"]) / urlsplit(server).netloc
    if arguments or not server or not place.is_file():
        print(f"gke-gcloud-auth-plugin (simulated): no access to {server or 'nothing'}", file=sys.stderr)
        return 1
    expires = datetime.now(UTC) + timedelta(minutes=55)
    status = {"expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ"), "token": place.read_text()}
    credential = {"kind": "ExecCredential", "apiVersion": asked["apiVersion"], "spec": {}, "status": status}
    print(json.dumps(credential))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
