"""Embedded Kafka as the chaos tests need it: behind a proxy, or three nodes of which any may be killed."""

from pathlib import Path
from typing import Self

from ops.chaos.proxy import Proxy
from ops.embedded import EmbeddedKafka
from ops.embedded.process import free_ports

QUORUM_HEAP = "384m"


class ProxiedKafka(EmbeddedKafka):
    """One node with a second listener, which is advertised at a proxy's address.

    `bootstrap` is the straight way, for the test itself; `proxied` the way for the roles. Metadata says the same way back.
    """

    def __init__(self, data: Path, *, settings: dict[str, object] | None = None, heap: str = "512m") -> None:
        super().__init__(data, heap=heap, settings=settings)
        inner = free_ports(1)[0]
        self.proxy = Proxy(inner)
        self._inner = inner

    @property
    def proxied(self) -> str:
        """Bootstrap server behind the proxy."""
        return f"127.0.0.1:{self.proxy.port}"

    def __enter__(self) -> Self:
        """Start the proxy, whose port the node has to know; the node is started by `start`."""
        self.proxy.__enter__()
        broker, controller = self._ports[0]
        self._settings |= {
            "listeners": f"PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller},PROXIED://127.0.0.1:{self._inner}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker},PROXIED://127.0.0.1:{self.proxy.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT",
        }
        return self

    def __exit__(self, *_: object) -> None:
        """End the proxy."""
        self.proxy.__exit__()


def quorum(data: Path, settings: dict[str, object] | None = None) -> EmbeddedKafka:
    """Three nodes on this machine: every topic has three copies, and two must have a record before it counts."""
    return EmbeddedKafka(data, 3, heap=QUORUM_HEAP, settings=settings)
