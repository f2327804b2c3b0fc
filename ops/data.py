"""The data folder: what `lockstep up` keeps there, and how the other commands find its servers."""

import fcntl
import hashlib
import json
import os
import secrets
import socket
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

from ops.embedded.process import free_ports, until_free
from ops.files import write_private


class InUse(RuntimeError):
    """Another `lockstep up` runs on this data."""


@dataclass(frozen=True)
class Ready:
    """What the ready file says (contract.md, Command line)."""

    kafka: str
    postgres: str = field(repr=False)
    connect: str
    board: str
    pids: dict[str, int]
    token: str = field(repr=False)

    def write(self, *files: Path) -> None:
        """Write it, atomically and for the owner only: it holds the token and a password."""
        text = json.dumps(self.__dict__, indent=1) + "\n"
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_private(file, text)

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """Read it; None when there is none."""
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return cls(**{each.name: found[each.name] for each in fields(cls)})


class Data:
    """One data folder. Ports and the token are chosen once and kept."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._lock: int | None = None

    @property
    def ready_file(self) -> Path:
        """Where the ready file always is."""
        return self.root / "ready.json"

    @property
    def logs(self) -> Path:
        """Where the logs of the roles are."""
        return self.root / "logs"

    @property
    def instance(self) -> str:
        """A name for the processes of this folder in their consumer groups: the same after a restart, unlike any other's."""
        return "up-" + hashlib.sha256(f"{socket.gethostname()}:{self.root}".encode()).hexdigest()[:8]

    def ready(self) -> Ready | None:
        """What `lockstep up` last said about its servers; None when it does not run here."""
        return Ready.read(self.ready_file)

    def config_file(self) -> Path | None:
        """The configuration that `lockstep up` was last started with on this data."""
        try:
            return Path((self.root / "config").read_text(encoding="utf-8").strip())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def remember_config(self, file: Path) -> None:
        """Let later commands on this data use the same configuration."""
        (self.root / "config").write_text(f"{file.absolute()}\n", encoding="utf-8")

    def take(self) -> None:
        """Make the folder ours until this process ends. Raises InUse."""
        self.logs.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(descriptor, 32).decode(errors="replace").strip() or "?"
            os.close(descriptor)
            raise InUse(f"another `lockstep up` (process {pid}) runs on {self.root}: end it, or choose another --data") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._lock = descriptor

    def give_back(self) -> None:
        """Let another process take the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def token(self) -> str:
        """Give the board's token, made at random the first time."""
        file = self.root / "token"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(24))
        return file.read_text(encoding="utf-8").strip()

    def known_ports(self) -> dict[str, int]:
        """The ports that were chosen, by role."""
        file = self.root / "ports.json"
        found: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        return found

    async def ports(self, names: tuple[str, ...], patience: float = 5) -> dict[str, int]:
        """Give each name the port it had before; a new one where that is taken by a stranger."""
        known = self.known_ports()
        for name in names:
            if name not in known or await until_free((known[name],), patience):
                known[name] = free_ports(1)[0]
        write_private(self.root / "ports.json", json.dumps(known))
        return {name: known[name] for name in names}
