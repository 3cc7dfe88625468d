"""The container that keeps PostgreSQL at what its Secrets hold: the password and the certificate.

The image reads the password when it makes the data folder and never again, and the server reads its
certificate when it starts or is told to.
"""

from typing import Any

from corral.catalogue.images import image
from corral.components._pods import restricted_container
from corral.components.supply import Supply, reference
from corral.components.vector_db.names import DATABASE, USER

SCRIPT = "sync.sh"
SYNC = """\
#!/bin/sh
# The password goes to psql by file, never as an argument, and is kept out of the server's log.
set -u
trap 'exit 0' TERM INT

content() {
  cat "$PASSWORD_FILE" "$CERTIFICATE_FILE" | sha256sum
}

apply() {
  psql --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 <<'SQL'
\\set password `cat "$PASSWORD_FILE"`
set log_statement = none;
set log_min_duration_statement = -1;
set log_min_error_statement = panic;
alter role current_user password :'password';
select pg_reload_conf();
SQL
}

applied=
while :; do
  now=$(content)
  if [ "$now" != "$applied" ] && pg_isready --quiet && apply; then
    applied=$now
    : > "$APPLIED_FILE"
    echo "password and certificate are in force"
  fi
  if [ -n "$applied" ]; then sleep 5 & else sleep 1 & fi
  wait $!
done
"""


def container(*, sockets: str, password: str, certificate: str, supply: Supply) -> dict[str, Any]:
    """The container; it is ready once the server has taken the password that the Secret holds now.

    It logs in over the socket that it shares with the server, which needs no password.

    Args:
        sockets: folder of that socket, mounted from `socket`.
        password: file with the password, below a mount of `credential`.
        certificate: the server's certificate, below a mount of `tls`.
    """
    environment = {
        "PGHOST": sockets,
        "PGUSER": USER,
        "PGDATABASE": DATABASE,
        "PASSWORD_FILE": password,
        "CERTIFICATE_FILE": certificate,
        "APPLIED_FILE": "/tmp/applied",
    }
    return {
        "name": "sync",
        "image": reference(image("pgvector"), supply),
        "command": ["/bin/sh", f"/etc/sync/{SCRIPT}"],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "readiness_probe": {
            "exec_": {"command": ["/bin/sh", "-c", 'test -e "$APPLIED_FILE"']},
            "period_seconds": 2,
        },
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "32Mi"}},
        "security_context": restricted_container(read_only_root=True),
        "volume_mounts": [
            {"name": "sync", "mount_path": "/etc/sync", "read_only": True},
            {"name": "credential", "mount_path": password.rpartition("/")[0], "read_only": True},
            {"name": "tls", "mount_path": certificate.rpartition("/")[0], "read_only": True},
            {"name": "socket", "mount_path": sockets},
            {"name": "sync-scratch", "mount_path": "/tmp"},
        ],
    }
