"""From checked models to the settings of the roles: secrets fetched, the environment laid over the file."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from yarl import URL

from connectors.config import Pull, Shop
from connectors.pull.registry import check as check_pull
from connectors.registry import CONNECTORS
from ops.config.model import ConfigModel, PullModel, SecurityModel
from ops.config.parse import parse
from ops.config.policy import policy
from ops.config.problems import ConfigError, Problem
from ops.config.rules import rule_problems
from ops.config.settings import Config, Kafka, Listen, Security, Tracing, environment
from ops.config.values import SecretRef
from ops.config.yaml_file import Document, Place
from sinks.alerts.config import Bot, Sms


def load(file: Path, variables: Mapping[str, str] = os.environ) -> Config:
    """Read, check and resolve a configuration. Raises ConfigError with everything that is wrong."""
    model, document = parse(file)
    secrets = _Secrets(document, variables)
    rules = file.parent / model.rules if model.rules else None
    problems = rule_problems(rules, document) if rules else []
    shops = dict(_shops(model, secrets))
    config = Config(
        merchant=model.merchant,
        shops=tuple(shops.values()),
        policy=policy(model),
        rules=rules,
        bots=tuple(_bots(model, secrets)),
        sms=_sms(model, secrets),
        kafka=_kafka(model, secrets),
        postgres=_postgres(model, secrets),
        connect=Listen(model.connect.host, model.connect.port),
        board=Listen(model.board.host, model.board.port),
        token=secrets.of(model.board.token, ("board", "token")),
        partitions=model.partitions,
        store=model.store,
        logs=model.logs,
        tracing=Tracing(model.tracing.otlp.rstrip("/"), model.tracing.sample) if model.tracing else None,
        file=file,
    )
    if found := [*secrets.problems, *problems] or list(_refused(shops, document)):
        raise ConfigError(sorted(found))
    return overlaid(config)


def _refused(shops: Mapping[Place, Shop], document: Document) -> Iterator[Problem]:
    """What a connector says of its shops, such as an option that it needs."""
    for place, shop in shops.items():
        try:
            CONNECTORS[shop.connector].check(shop)
            check_pull(shop)
        except ValueError as error:
            yield document.problem(place, str(error))
            continue
        if CONNECTORS[shop.connector].pull_only and shop.pull is None:
            yield document.problem(place, f"{shop.connector} pushes nothing: without `pull:` nothing is ever heard of it")


def servers(file: Path, variables: Mapping[str, str] = os.environ) -> tuple[Kafka | None, str | None]:
    """Fetch what a file says about Kafka and PostgreSQL, and no other secret. Raises ConfigError."""
    model, document = parse(file)
    secrets = _Secrets(document, variables)
    kafka, dsn = _kafka(model, secrets), _postgres(model, secrets)
    if secrets.problems:
        raise ConfigError(secrets.problems)
    return kafka, dsn


def overlaid(config: Config) -> Config:
    """Lay `LOCKSTEP_…` over a configuration."""
    given = environment()
    if named := given.kafka.servers:
        config = replace(config, kafka=replace(config.kafka or Kafka(named), servers=named))
    if config.kafka:
        config = replace(config, kafka=replace(config.kafka, security=given.kafka.security.over(config.kafka.security)))
    if given.postgres.dsn:
        config = replace(config, postgres=given.postgres.dsn.get_secret_value())
    if given.log:
        config = replace(config, logs=given.log)
    if given.board.token:
        config = replace(config, token=given.board.token.get_secret_value())
    if config.sms and given.sms.secret:
        config = replace(config, sms=replace(config.sms, secret=given.sms.secret.get_secret_value()))
    return config


def literal_secrets(model: ConfigModel, document: Document) -> Iterator[Problem]:
    """Warn of every secret that stands in the file itself."""
    for place, value in _references(model, ()):
        if value.literal:
            text = f"{'.'.join(map(str, place))}: the secret stands in the file; use env:NAME or file:PATH"
            yield document.problem(place, text, warning=True)


def clear_text(model: ConfigModel, document: Document) -> Iterator[Problem]:
    """Warn of tokens that would travel unencrypted."""
    for section, entries in (("shops", model.shops), ("systems", model.systems), ("couriers", model.couriers)):
        for number, entry in enumerate(entries):
            url = URL(entry.pull.base_url or "") if entry.pull else URL("")
            if url.scheme == "http" and url.host not in {"127.0.0.1", "localhost", "::1"}:
                place: Place = (section, number, "pull", "base_url")
                yield document.problem(place, f"{url} is not https: tokens would travel unencrypted", warning=True)


def _references(value: Any, place: Place) -> Iterator[tuple[Place, SecretRef]]:
    if isinstance(value, SecretRef):
        yield place, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _references(getattr(value, name), (*place, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _references(item, (*place, number))


class _Secrets:
    """Fetches secrets and gathers what is wrong with them."""

    def __init__(self, document: Document, variables: Mapping[str, str]) -> None:
        self._document, self._variables = document, variables
        self.problems: list[Problem] = []

    def of(self, reference: SecretRef | None, place: Place) -> str | None:
        if reference is None:
            return None
        try:
            return reference.resolve(self._variables, self._document.file.parent)
        except ValueError as error:
            self.problems.append(self._document.problem(place, f"{'.'.join(map(str, place))}: {error}"))
            return None


def _postgres(model: ConfigModel, secrets: _Secrets) -> str | None:
    """The file's DSN; its secret is not needed where the environment names another."""
    if model.postgres is None or environment().postgres.dsn is not None:
        return None
    return secrets.of(model.postgres.dsn, ("postgres", "dsn"))


def _shops(model: ConfigModel, secrets: _Secrets) -> Iterator[tuple[Place, Shop]]:
    for number, shop in enumerate(model.shops):
        place: Place = ("shops", number)
        yield (
            place,
            _shop("channel", shop.channel or shop.source, shop, secrets, place, systems=tuple(shop.systems), options=dict(shop.options)),
        )
    for number, system in enumerate(model.systems):
        place = ("systems", number)
        yield place, _shop("system", system.name, system, secrets, place, options=dict(system.shops))
    for number, courier in enumerate(model.couriers):
        place = ("couriers", number)
        name, options = courier.courier or courier.source, dict(courier.options)
        yield place, _shop("courier", name, courier, secrets, place, options=options)


def _shop(
    kind: str,
    name: str,
    entry: Any,
    secrets: _Secrets,
    place: Place,
    systems: tuple[str, ...] = (),
    options: Mapping[str, str] | None = None,
) -> Shop:
    return Shop(
        kind=kind,
        connector=entry.source,
        name=name,
        shop=entry.shop,
        secret=secrets.of(entry.secret, (*place, "secret")) or "",
        systems=systems,
        app_key=entry.app_key,
        token=secrets.of(entry.token, (*place, "token")),
        aes_key=secrets.of(entry.aes_key, (*place, "aes_key")),
        app_id=entry.app_id,
        options=options or {},
        pull=_pull(entry.pull, secrets, (*place, "pull")),
    )


def _pull(given: PullModel | None, secrets: _Secrets, place: Place) -> Pull | None:
    if given is None:
        return None
    return Pull(
        base_url=given.base_url,
        secret=secrets.of(given.secret, (*place, "secret")),
        token=secrets.of(given.token, (*place, "token")),
        refresh=secrets.of(given.refresh, (*place, "refresh")),
        every=given.every,
        since=given.since,
        feeds=tuple(given.feeds),
        options=dict(given.options),
    )


def _bots(model: ConfigModel, secrets: _Secrets) -> Iterator[Bot]:
    for number, bot in enumerate(model.bots):
        place: Place = ("bots", number)
        yield Bot(
            name=bot.name,
            kind=bot.kind,
            base_url=bot.base_url.rstrip("/"),
            token=secrets.of(bot.token, (*place, "token")) or "",
            secret=secrets.of(bot.secret, (*place, "secret")) or "",
            receives=tuple(bot.receives),
        )


def _sms(model: ConfigModel, secrets: _Secrets) -> Sms | None:
    if model.sms is None:
        return None
    return Sms(base_url=model.sms.base_url, secret=secrets.of(model.sms.secret, ("sms", "secret")) or "")


def _kafka(model: ConfigModel, secrets: _Secrets) -> Kafka | None:
    if model.kafka is None:
        return None
    return Kafka(model.kafka.servers, _security(model.kafka.security, secrets), model.kafka.replication)


def _security(given: SecurityModel, secrets: _Secrets) -> Security:
    password = secrets.of(given.password, ("kafka", "security", "password"))
    return Security(given.protocol, given.mechanism, given.username, password, given.ca_file)


def example() -> Path:
    """The example file, with every key explained."""
    return Path(__file__).parents[1] / "lockstep.example.yaml"
