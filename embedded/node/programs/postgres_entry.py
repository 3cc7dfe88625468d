"""Starts PostgreSQL as the official image does: makes the data folder when empty, then serves.

Standard library only. Arguments are settings, `name=value`; folders and the address come from the row in
CORRAL_POSTGRES_*, users and the password from the image's variables. SIGTERM is a fast shutdown, as the
image asks of its runtime with its stop signal.
"""

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

CHECK_SECONDS = 1
PR_SET_PDEATHSIG = 1


def stated(name: str, default: str = "") -> str:
    """A variable of the image, or what the file says that `<name>_FILE` names."""
    value, file = os.environ.get(name, ""), os.environ.get(f"{name}_FILE", "")
    if value and file:
        sys.exit(f"both {name} and {name}_FILE are set: set one")
    return Path(file).read_text().rstrip("\r\n") if file else value or default


class Server:
    """One PostgreSQL server: its programs, folders and address."""

    def __init__(self) -> None:
        self.programs = Path(os.environ["CORRAL_POSTGRES_PROGRAMS"])
        self.bind = os.environ["CORRAL_POSTGRES_BIND"]
        self.scratch = Path(os.environ["CORRAL_POSTGRES_SCRATCH"])
        self.scripts = Path(os.environ["CORRAL_POSTGRES_SCRIPTS"])
        self.sockets = Path(os.environ["CORRAL_POSTGRES_SOCKETS"])
        self.data = Path(os.environ["PGDATA"])
        self.user = stated("POSTGRES_USER", "postgres")
        self.database = stated("POSTGRES_DB", self.user)
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("POSTGRES_", "CORRAL_POSTGRES_", "PG"))
        } | {
            "LC_ALL": "C.UTF-8",
            "PGDATA": str(self.data),
            "LD_LIBRARY_PATH": str(self.programs.parent / "lib"),
        }

    def run(self, program: str, *arguments: str, stdin: str | None = None) -> None:
        """Run one of PostgreSQL's programs; a failure ends this one with its exit status."""
        command = [str(self.programs / program), *arguments]
        result = subprocess.run(command, env=self.environment, input=stdin, text=True, check=False)
        if result.returncode != 0:
            raise SystemExit(result.returncode)

    def initialise(self) -> None:
        """Fill the empty data folder: cluster, database, the SQL files of the scripts folder.

        A failure leaves the folder empty, so that the next start tries again.
        """
        scripts = self.sql_files()
        password = stated("POSTGRES_PASSWORD")
        if not password:
            sys.exit("POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be set to make the database")
        try:
            self.make_cluster(password)
            self.fill(scripts)
        except BaseException:
            empty(self.data)
            raise

    def sql_files(self) -> list[Path]:
        files = sorted(self.scripts.iterdir()) if self.scripts.is_dir() else []
        files = [file for file in files if not file.name.startswith(".")]  # a mounted ConfigMap's own links
        other = [file.name for file in files if file.suffix != ".sql"]
        if other:
            sys.exit(f"{self.scripts / other[0]}: only .sql files are run here, no shell scripts or archives")
        return files

    def make_cluster(self, password: str) -> None:
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            secret = Path(folder, "password")
            secret.touch(0o600)
            secret.write_text(password)
            extra = shlex.split(os.environ.get("POSTGRES_INITDB_ARGS", ""))
            self.run(
                "initdb", f"--pgdata={self.data}", f"--username={self.user}", f"--pwfile={secret}",
                "--encoding=UTF8", "--auth-local=trust", "--auth-host=scram-sha-256", *extra,
            )  # fmt: skip
        with Path(self.data, "pg_hba.conf").open("a") as rules:
            rules.write("\nhost all all all scram-sha-256\n")

    def fill(self, scripts: list[Path]) -> None:
        """Make the database and run the scripts on a server that only this process reaches."""
        with tempfile.TemporaryDirectory(prefix="pg") as sockets:
            private = f"-c listen_addresses='' -c unix_socket_directories={sockets}"
            self.run("pg_ctl", "--silent", "--wait", f"--pgdata={self.data}", f"--options={private}", "start")
            client = (f"--host={sockets}", f"--username={self.user}", "--no-psqlrc", "--no-password")
            strict = "--set=ON_ERROR_STOP=1"
            if self.database != "postgres":
                make = 'create database :"name"'
                self.run(
                    "psql", *client, strict, f"--set=name={self.database}", "--dbname=postgres", stdin=make
                )
            for script in scripts:
                print(f"running {script}", flush=True)
                self.run("psql", *client, strict, f"--dbname={self.database}", f"--file={script}")
            self.run("pg_ctl", "--silent", "--wait", f"--pgdata={self.data}", "--mode=fast", "stop")

    def serve(self, stated: list[str]) -> int:
        """Serve until asked to stop; the exit status of the server."""
        key = Key(stated, self.scratch)
        # By descriptor: the path itself may be longer than the name of a socket can be.
        sockets = os.open(self.sockets, os.O_PATH | os.O_DIRECTORY)
        fixed = [f"listen_addresses={self.bind}", f"unix_socket_directories=/proc/self/fd/{sockets}"]
        options = [part for pair in (*key.settings, *fixed) for part in ("-c", pair)]
        stop = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, stop)
        server = subprocess.Popen(
            [str(self.programs / "postgres"), "-D", str(self.data), *options],
            env=self.environment,
            preexec_fn=follow_parent,
            pass_fds=(sockets,),
        )
        while server.poll() is None:
            caught = signal.sigtimedwait(stop, CHECK_SECONDS)
            if caught is None and key.renewed():
                server.send_signal(signal.SIGHUP)
            elif caught is not None and caught.si_signo != signal.SIGCHLD:
                server.send_signal(signal.SIGINT)
        return server.returncode


def follow_parent() -> None:
    """In the child: take signals again, and end with the parent."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def empty(folder: Path) -> None:
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


class Key:
    """The file of `ssl_key_file`, copied where its permissions are not those that PostgreSQL demands."""

    def __init__(self, stated: list[str], scratch: Path) -> None:
        self._copy = scratch / "server.key"
        self._file = next((Path(s.partition("=")[2]) for s in stated if s.startswith("ssl_key_file=")), None)
        self._copied = self._file is not None and self.is_open(self._file)
        self._content = b""
        self.settings = [
            f"ssl_key_file={self._copy}" if self._copied and s.startswith("ssl_key_file=") else s
            for s in stated
        ]
        self.renewed()

    @staticmethod
    def is_open(key: Path) -> bool:
        """Whether more than its owner, or more than root's group, may read it."""
        status = key.stat()
        return status.st_mode & (0o077 if status.st_uid == os.getuid() else 0o027) != 0

    def renewed(self) -> bool:
        """Whether the key is another than before, and copied."""
        if self._file is None or not self._copied:
            return False
        try:
            content = self._file.read_bytes()
        except OSError:
            return False  # the node is writing it anew
        if content == self._content:
            return False
        self._content = content
        self._copy.unlink(missing_ok=True)
        self._copy.touch(0o600)
        self._copy.write_bytes(content)
        return True


def main(settings: list[str]) -> int:
    """Make the data folder when it is empty, then serve."""
    if os.geteuid() == 0:
        sys.exit(
            "PostgreSQL refuses to run as root: set securityContext.runAsUser of the pod (999 in the image)"
        )
    server = Server()
    server.data.mkdir(0o700, parents=True, exist_ok=True)
    server.data.chmod(0o700)
    if not Path(server.data, "PG_VERSION").exists():
        server.initialise()
    return server.serve(settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
