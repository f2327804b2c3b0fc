"""What stands in files: configuration, secrets, mapping tables, schemas."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from ops.config.parse import parse
from ops.config.problems import ConfigError
from ops.config.resolve import load
from ops.config.values import SecretRef
from ops.doctor.finding import Finding, bad, good, note, several
from ops.doctor.site import Site

OTHERS: Final = 0o044


async def configuration(site: Site) -> list[Finding]:
    """Whether the file can be used. Secrets are looked at apart."""
    file = site.file
    if not file.exists():
        return [note("configuration", f"there is no {file}", "begin with ops/lockstep.example.yaml, or run `lockstep demo`")]
    missing = {each.place for each in _secrets(file) if each.why}
    try:
        await asyncio.to_thread(load, file)
    except ConfigError as error:
        others = [str(each) for each in error.problems if each.text.partition(":")[0] not in missing]
        if others:
            return [bad("configuration", several(others), "mend it; `lockstep check` shows every problem")]
    return [good("configuration", str(file))]


@dataclass(frozen=True)
class Held:
    """One secret of the configuration: where it is named, how it is kept, why it cannot be had. Never the secret."""

    place: str
    scheme: str  # env | file | plain
    why: str = ""
    open: bool = False  # others may read the file


async def secrets(site: Site) -> list[Finding]:
    """Whether each can be had, and who else could."""
    if not site.file.exists():
        return []
    return judge_secrets(_secrets(site.file))


def judge_secrets(found: list[Held]) -> list[Finding]:
    """A missing one keeps roles from starting; one that others can read is no secret."""
    findings = [
        bad("secrets", f"{each.place}: {each.why}", "set it where the roles are started, then start them again; `lockstep check` proves it")
        for each in found
        if each.why
    ]
    if open_ := [each.place for each in found if each.open]:
        findings.append(bad("secrets", f"others may read the files of {several(open_)}", "chmod 600 the files"))
    if plain := [each.place for each in found if each.scheme == "plain"]:
        findings.append(note("secrets", f"{len(plain)} stand in the configuration itself: {several(plain)}", "use env:NAME or file:PATH"))
    return findings or [good("secrets", f"{len(found)} references, each there")]


def _secrets(file: Path) -> list[Held]:
    try:
        model = parse(file)[0]
    except ConfigError:  # said by the look at the configuration
        return []
    return [_held(place, each, file.parent) for place, each in _references(model, ())]


def _held(place: str, reference: SecretRef, base: Path) -> Held:
    try:
        reference.resolve(base=base)
    except ValueError as error:
        return Held(place, reference.scheme, str(error))
    return Held(place, reference.scheme, open=reference.scheme == "file" and _open(base / reference.rest))


def _open(file: Path) -> bool:
    return bool(file.expanduser().stat().st_mode & OTHERS)


def _references(value: Any, place: tuple[str, ...]) -> Iterator[tuple[str, SecretRef]]:
    if isinstance(value, SecretRef):
        yield ".".join(place), value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _references(getattr(value, name), (*place, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _references(item, (*place, str(number)))


async def mappings(site: Site) -> list[Finding]:
    """The tables that are shipped or edited: codes of sources, and of platforms' errors."""
    from connectors.pull import errors
    from schemas import mapping

    found = await asyncio.to_thread(lambda: [*mapping.problems(), *errors.problems()])
    return judge_tables("mapping tables", found, "mend the table; `lockstep check` shows file and line")


async def schemas(site: Site) -> list[Finding]:
    """The registry file against the records of this program."""
    from schemas import evolve

    return judge_tables(
        "schemas", await asyncio.to_thread(evolve.problems), "`lockstep schemas check`; mend the record, or write the next version"
    )


def judge_tables(what: str, problems: list[str], advice: str) -> list[Finding]:
    """Good without problems."""
    return [bad(what, several(problems), advice)] if problems else [good(what, "as the program expects them")]
