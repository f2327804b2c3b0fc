"""Ports that the installation listens on: who has them. Names of processes are known on Linux only, of one's own processes."""

import asyncio
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ops.doctor.finding import Finding, bad, good, note
from ops.doctor.site import Site
from ops.embedded.process import listens

PROC: Final = Path("/proc")
LISTENING: Final = "0A"
SHOWN: Final = 80  # characters of a command line
OURS: Final = re.compile(r"(?:-m ops|\blockstep) (?:up|connect|stream|sink|board|poll)\b|\bkafka\.Kafka\b")


@dataclass(frozen=True)
class Port:
    """One port. `fixed`: configured, no other one would do. `owner` is empty where the system does not tell; `ours`: it is a role."""

    what: str
    number: int
    fixed: bool
    taken: bool
    owner: str = ""
    ours: bool = False


async def look(site: Site) -> list[Finding]:
    """Ports of the configuration, and those that `up` remembers."""
    wanted = _wanted(site)
    return judge(await asyncio.to_thread(_seen, wanted), runs=site.data.ready() is not None)


def judge(ports: list[Port], *, runs: bool) -> list[Finding]:
    """While `up` runs its ports must be open; before, they must be free."""
    found = []
    for port in ports:
        who = f" by {port.owner}" if port.owner else ""
        if runs and not port.taken:
            found.append(bad("ports", f"{port.number} of {port.what} is not open, though `lockstep up` runs", "see the role's log"))
        elif port.taken and not port.ours and not runs:
            text = f"{port.number} of {port.what} is taken{who}"
            if port.fixed:
                found.append(bad("ports", text, f"end what has it, or set another {port.what}.port in the configuration"))
            else:
                found.append(note("ports", text, "`lockstep up` will choose another one"))
    return found or [good("ports", ", ".join(f"{port.what} {port.number}" for port in ports) or "none is fixed: free ones are chosen")]


def _wanted(site: Site) -> list[tuple[str, int, bool]]:
    model, remembered = site.place.model, site.data.known_ports()
    fixed = {"connect": model.connect.port, "board": model.board.port} if model else {}
    found = [(name, port, True) for name, port in fixed.items() if port]
    found += [(name, port, False) for name, port in remembered.items() if not fixed.get(name) and (name != "poll" or _pulls(site))]
    if not (model and model.kafka):
        found += [("Kafka", port, True) for port in _embedded(site.data.root / "kafka" / "cluster.json")]
    return found


def _pulls(site: Site) -> bool:
    model = site.place.model
    return bool(model and any(each.pull for each in (*model.shops, *model.systems, *model.couriers)))


def _embedded(file: Path) -> list[int]:
    try:
        return [pair[0] for pair in json.loads(file.read_text())["ports"]]
    except (OSError, ValueError, KeyError):
        return []


def _seen(wanted: list[tuple[str, int, bool]]) -> list[Port]:
    found = []
    for what, number, fixed in wanted:
        taken = listens(number)
        owner, ours = owner_of(number) if taken else ("", False)
        found.append(Port(what, number, fixed, taken, owner, ours))
    return found


def owner_of(port: int) -> tuple[str, bool]:
    """`nginx (process 812)`, and whether it is a role or an embedded Kafka, by Linux's tables of sockets.

    Empty elsewhere, and for a process that is not ours to look at.
    """
    nodes = {node for name in ("tcp", "tcp6") for node in _nodes(PROC / "net" / name, port)}
    for folder in PROC.glob("[0-9]*/fd") if nodes else ():
        try:
            if any(str(link.readlink()) in nodes for link in folder.iterdir()):
                words = (folder.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                return f"{words[:SHOWN]} (process {folder.parent.name})", bool(OURS.search(words))
        except OSError:  # it has ended meanwhile, or is another user's
            continue
    return "", False


def _nodes(file: Path, port: int) -> list[str]:
    """Names of the sockets that listen on a port."""
    try:
        rows = [line.split() for line in file.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [f"socket:[{row[9]}]" for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port]
