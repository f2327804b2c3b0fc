"""This machine: Python, packages, room on the disks."""

import importlib.metadata
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ops.doctor.finding import Finding, bad, good, note, several
from ops.doctor.site import Site

OLDEST: Final = (3, 11)
LOW_BYTES: Final = 2 << 30
LOW_SHARE: Final = 0.05
PINS: Final = Path(__file__).parents[2] / "requirements.txt"
_NAME: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(.*)$")
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


async def python(site: Site) -> list[Finding]:
    """The interpreter."""
    return judge_python(version())


def version() -> tuple[int, int, int]:
    """Of the running Python."""
    return sys.version_info[:3]


def judge_python(found: tuple[int, int, int]) -> list[Finding]:
    """Old ones lack what the code uses."""
    text = f"{'.'.join(map(str, found))} on {platform.system()} {platform.machine()}"
    if found[:2] < OLDEST:
        return [bad("Python", text, "Lockstep needs 3.11 or newer: make a new environment with `make demo`")]
    return [good("Python", text)]


@dataclass(frozen=True)
class Packages:
    """What is wanted and what is there. `exact`: private names of these are used; `pins`: what was tested, empty outside of the project."""

    wanted: frozenset[str]
    exact: Mapping[str, str]
    pins: Mapping[str, str]
    installed: Mapping[str, str]


async def packages(site: Site) -> list[Finding]:
    """What was tested, and what is installed."""
    pins = _pins(PINS.read_text(encoding="utf-8")) if PINS.exists() else {}
    needed = dict(_needed(importlib.metadata.requires("lockstep") or []))
    exact = {name: rule.removeprefix("==") for name, rule in needed.items() if rule.startswith("==")}
    installed = {_plain(each.metadata["Name"]): each.version for each in importlib.metadata.distributions() if each.metadata["Name"]}
    return judge_packages(Packages(frozenset(needed), exact, pins, installed))


def judge_packages(found: Packages) -> list[Finding]:
    """Missing ones and wrong exact ones keep roles from starting; others than tested may be fine."""
    mend = "`pip install --require-hashes -r requirements.txt` in the environment"
    if missing := sorted(found.wanted - found.installed.keys()):
        return [bad("packages", f"missing: {', '.join(missing)}", mend)]
    wrong = [
        f"{name} {found.installed[name]}, {want} needed" for name, want in sorted(found.exact.items()) if found.installed.get(name) != want
    ]
    if wrong:
        return [bad("packages", several(wrong), mend)]
    pinned = {name: pin for name, pin in found.pins.items() if name in found.installed}
    other = [f"{name} {found.installed[name]}, tested with {pin}" for name, pin in sorted(pinned.items()) if found.installed[name] != pin]
    if other:
        return [note("packages", several(other), mend)]
    return [good("packages", f"{len(found.wanted)} needed ones are there" + (", as pinned" if pinned else ""))]


def _pins(text: str) -> dict[str, str]:
    return {_plain(name): pin for name, pin in _PIN.findall(text)}


def _needed(lines: list[str]) -> list[tuple[str, str]]:
    """(name, version rule) of what every installation needs: nothing of extras, nothing for other platforms."""
    found = []
    for line in lines:
        rule, _, marker = line.partition(";")
        if (match := _NAME.match(rule.strip())) and not marker:
            found.append((_plain(match[1]), match[2].strip()))
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True)
class Room:
    """Of the disk below a folder, in bytes."""

    folder: str
    free: int
    size: int


async def disk(site: Site) -> list[Finding]:
    """Where data, logs and the embedded servers are."""
    return judge_disk(free(site.data.root))


def free(folder: Path) -> list[Room]:
    """Each disk of the data folder once."""
    found: dict[int, Room] = {}
    for path in (folder.absolute(), *((folder / name).absolute() for name in ("kafka", "postgres", "logs"))):
        there = next(each for each in (path, *path.parents) if each.exists())
        usage = shutil.disk_usage(there)
        found.setdefault(there.stat().st_dev, Room(str(there), usage.free, usage.total))
    return list(found.values())


def judge_disk(rooms: list[Room]) -> list[Finding]:
    """Kafka and PostgreSQL stop on a full disk."""
    found = []
    for room in rooms:
        text = f"{room.free / (1 << 30):.1f} of {room.size / (1 << 30):.0f} GiB free at {room.folder}"
        if room.free < LOW_BYTES:
            found.append(bad("disk", text, "make room: Kafka and PostgreSQL stop when it is full; nothing is lost, platforms push again"))
        elif room.free < room.size * LOW_SHARE:
            found.append(note("disk", text, "make room in time"))
        else:
            found.append(good("disk", text))
    return found
