"""From the YAML file to checked models: every error with its file and line."""

import inspect
import typing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ops.config.model import BotEntry, ConfigModel, CourierEntry, ShopEntry, SystemEntry
from ops.config.problems import ConfigError, Problem, unknown
from ops.config.sources import ALERT_KINDS, GENERIC, known_sources
from ops.config.yaml_file import Document, Place, read
from schemas import couriers

M = TypeVar("M", bound=BaseModel)


def parse(file: Path) -> tuple[ConfigModel, Document]:
    """Read and check a file. Raises ConfigError with everything that is wrong."""
    document = read(file)
    model = validated(ConfigModel, document)
    if problems := [*_sources(model, document), *_shops(model, document), *_bots(model, document), *_silence(model, document)]:
        raise ConfigError(sorted(problems))
    return model, document


def validated(kind: type[M], document: Document) -> M:
    """Check a document against a model. Raises ConfigError; an unknown key names the nearest known one."""
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise ConfigError([document.problem((), "is no mapping of keys to values")])
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        found = (_said(kind, document, problem) for problem in error.errors(include_input=False, include_url=False))
        raise ConfigError(sorted(set(found))) from None


def _said(kind: type[BaseModel], document: Document, error: Any) -> Problem:
    place: Place = tuple(error["loc"])
    if error["type"] == "extra_forbidden":
        return document.problem(place, unknown("key", str(place[-1]), _keys(kind, place[:-1])))
    dotted = ".".join(map(str, place))
    if error["type"] == "missing":
        return document.problem(place, f"{dotted} is missing")
    reason = str(error["msg"]).removeprefix("Value error, ")
    return document.problem(place, f"{dotted}: {reason}")


def _keys(kind: type[BaseModel], place: Place) -> list[str]:
    """The keys that are known at a place."""
    current = kind
    for step in place:
        if field := current.model_fields.get(str(step)):  # else a number in a list, or the name of a union's member
            current = next(_models(field.annotation), current)
    return list(current.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models inside list[…], … | None and Annotated[…]."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models(argument)


def _sources(model: ConfigModel, document: Document) -> Iterator[Problem]:
    """Known sources, each shop of a source once, and what `generic` needs."""
    sections: tuple[tuple[str, str, list[Any]], ...] = (
        ("shops", "channel", list(model.shops)),
        ("systems", "system", list(model.systems)),
        ("couriers", "courier", list(model.couriers)),
    )
    seen: dict[tuple[str, str], str] = {}
    for section, kind, entries in sections:
        known = known_sources(kind)
        for number, entry in enumerate(entries):
            place: Place = (section, number)
            if entry.source not in known:
                text = unknown("source", entry.source, known)
                yield document.problem((*place, "source"), f"{text} ({section} know {', '.join(known)})")
            if before := seen.get((entry.source, entry.shop)):
                text = f"the shop {entry.shop!r} of {entry.source} stands in {before} already"
                yield document.problem((*place, "shop"), f"{text}: `shop` is unique among all entries of a source")
            seen.setdefault((entry.source, entry.shop), f"{section} (line {document.line(place)})")
            yield from _needs(entry, place, document)


def _needs(entry: ShopEntry | SystemEntry | CourierEntry, place: Place, document: Document) -> Iterator[Problem]:
    """`generic` speaks for anything, so it must be told for whom; the others know."""
    for field in ("channel", "courier"):
        if field not in type(entry).model_fields:
            continue
        given = getattr(entry, field)
        if entry.source == GENERIC and given is None:
            yield document.problem(place, f"a generic entry needs `{field}`: the name of what speaks")
        if entry.source != GENERIC and given not in {None, entry.source}:
            yield document.problem((*place, field), f"`{field}` of {entry.source} is {entry.source}; leave it out")


def _shops(model: ConfigModel, document: Document) -> Iterator[Problem]:
    """Systems that are linked exist, and have one name each that nothing else has."""
    names = Counter(system.name for system in model.systems)
    taken = {entry.channel or entry.source for entry in model.shops}
    taken |= {entry.courier or entry.source for entry in model.couriers}
    for number, system in enumerate(model.systems):
        if names[system.name] > 1:
            yield document.problem(("systems", number, "name"), f"the name {system.name!r} is given to two systems")
        if system.name in taken:
            text = f"the name {system.name!r} is a channel's or a courier's already: sources are told apart by name"
            yield document.problem(("systems", number, "name"), text)
    for number, shop in enumerate(model.shops):
        for index, name in enumerate(shop.systems):
            if name not in names:
                yield document.problem(("shops", number, "systems", index), unknown("system", name, list(names)))


def _silence(model: ConfigModel, document: Document) -> Iterator[Problem]:
    """Silence is watched of sources that there are: couriers are those of the table, too."""
    known = {shop.channel or shop.source for shop in model.shops} | {system.name for system in model.systems}
    known |= {courier.courier or courier.source for courier in model.couriers}
    if model.couriers:  # an address of one courier may speak for others too
        known |= {*couriers.load().values()}
    for name in model.policy.silence.sources:
        if name not in known:
            yield document.problem(("policy", "silence", "sources", name), unknown("source", name, sorted(known)))


def _bots(model: ConfigModel, document: Document) -> Iterator[Problem]:
    """Robots have one name each and receive what there is."""
    names = Counter(bot.name for bot in model.bots)
    for number, bot in enumerate(model.bots):
        if names[bot.name] > 1:
            yield document.problem(("bots", number, "name"), f"the name {bot.name!r} is given to two bots")
        yield from _receives(bot, ("bots", number, "receives"), document)


def _receives(bot: BotEntry, place: Place, document: Document) -> Iterator[Problem]:
    for index, kind in enumerate(bot.receives):
        if kind not in ALERT_KINDS:
            yield document.problem((*place, index), unknown("kind of alert", kind, ALERT_KINDS))
