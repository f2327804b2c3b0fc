"""What roles log: one event a line, with its order and trace, and no secret in any form."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from connectors.config import Pull, Shop
from ops.config import Config, Kafka, Security
from ops.roles.logs import FORMS, HIDDEN, Form, Lines, Redacted, secrets_of
from sinks.alerts.config import Bot, Sms
from streams.policy import Policy

PULL = Pull(secret="pull-secret-1", token="pull-token-1", refresh="pull-refresh-1")
SHOP = Shop("channel", "generic", "web", "s1", 'hook "secret"\\1', token="hook-token-1", aes_key="aes+key/1==", pull=PULL)
CONFIG = Config(
    merchant="m",
    shops=(SHOP, replace(SHOP, shop="s2", secret="k3", pull=None)),
    policy=Policy(),
    bots=(Bot("ops", "dingtalk", "http://127.0.0.1:9", "bot-token-1", "bot-secret-1"),),
    sms=Sms("http://127.0.0.1:9", "sms-secret-1"),
    kafka=Kafka("k:9092", Security("SASL_SSL", "PLAIN", "u", "kafka-password-1")),
    postgres="postgresql://lockstep:pg%2Fpassword-1@db:5432/lockstep",
    token="board-token-1",
)
SECRETS = sorted({*secrets_of(CONFIG)} - {""})


def _hidden(value: Any) -> Iterator[str]:
    """Every text of a configuration that its representation does not show: that is what its author calls a secret."""
    if is_dataclass(value):
        for field in fields(value):
            found = getattr(value, field.name)
            if not field.repr and isinstance(found, str):
                yield found
            yield from _hidden(found)
    elif isinstance(value, tuple):
        for each in value:
            yield from _hidden(each)


def _logged(form: Form, *arguments: Any, error: Exception | None = None, **extra: str) -> str:
    log, out = logging.getLogger("lockstep.test"), io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Lines(form, Redacted(secrets_of(CONFIG))))
    log.addHandler(handler)
    log.warning(*arguments, exc_info=error, extra=extra)
    log.removeHandler(handler)
    return out.getvalue()


def test_every_secret_of_a_configuration_is_known() -> None:
    """Whatever a configuration hides from its representation is hidden from the log; the DSN by its password."""
    assert {*_hidden(CONFIG)} - {CONFIG.postgres} <= {*SECRETS}
    assert {"pg%2Fpassword-1", "pg/password-1"} <= {*SECRETS}
    assert len(SECRETS) == 14


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_logged(form: Form, secret: str) -> None:
    """Not in a message, an argument, an address, a representation, a field or an exception with its traceback."""
    try:
        raise ValueError(f"bad {secret}", {"token": secret})
    except ValueError as raised:
        error = raised
    url = f"https://api.example/send?access_token={quote_plus(secret)}&t=1"
    line = _logged(
        form, f"wrong {secret.replace('%', '%%')} and %s and %r at %s", secret, {"s": secret}, url, error=error, order_key=f"web:{secret}:1"
    )
    assert line.count(HIDDEN) >= 6
    for told in {secret, quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]}:
        assert told not in line.replace("test_role_logs", ""), line


def test_a_message_that_does_not_fit_its_arguments_hides_them_too() -> None:
    """Logging would print such a message and its arguments by itself, past every filter."""
    line = _logged("text", "%d tries with %s", "one", "bot-secret-1")
    assert "%d tries" in line
    assert "bot-secret-1" not in line


def test_a_short_secret_hides_no_other_words() -> None:
    """A secret of two letters is hidden where it stands alone."""
    assert Redacted(["s"])("s is a secret, and so says t=s&x") == f"{HIDDEN} is a secret, and so says t={HIDDEN}&x"
    assert Redacted([])("nothing") == "nothing"


@pytest.mark.parametrize("more", [{}, {"order_key": "web:s1:A1", "trace_id": "0af7"}])
def test_an_event_is_one_object_on_a_line(more: dict[str, str]) -> None:
    """JSON holds when, how bad, who, what, the order and the trace, and a traceback, on one line whatever they hold."""
    try:
        raise KeyError("一\n二")
    except KeyError as raised:
        line = _logged("json", "two\nlines of %s", "订单", error=raised, **more)
    assert line.count("\n") == 1
    event = json.loads(line)
    assert event["event"] == "two\nlines of 订单"
    assert event["level"] == "warning"
    assert event["logger"] == "lockstep.test"
    assert event["at"].endswith("Z")
    assert event["error"] == "KeyError"
    assert "test_role_logs" in event["traceback"]
    assert {name: event[name] for name in ("order_key", "parcel_key", "trace_id") if name in event} == more


def test_people_see_order_and_trace_on_the_first_line() -> None:
    """Text puts the fields behind the message, before a traceback; the trace is that of the current span."""
    span = NonRecordingSpan(SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1)))
    with trace.use_span(span):
        line = _logged("text", "late", order_key="web:s1:A1", error=ValueError("x"))
    first, *rest = line.splitlines()
    assert first.endswith(f"WARNING lockstep.test: late order_key=web:s1:A1 trace_id={1:032x}")
    assert rest[-1] == "ValueError: x"


@pytest.mark.parametrize("dsn", ["postgresql://u:pw-of-db@h/db", "host=h password=pw-of-db user=u", "postgresql://h/db?password=pw-of-db"])
def test_a_password_is_found_in_any_form_of_a_dsn(dsn: str) -> None:
    """As a URL, as words, as a parameter."""
    assert "pw-of-db" in {*secrets_of(replace(CONFIG, postgres=dsn))}


def test_the_environment_chooses_the_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`logs: json` in the file, and LOCKSTEP_LOG goes before it."""
    from ops.config import load

    file = tmp_path / "lockstep.yaml"
    shop = 'shops: [{source: generic, channel: web, shop: s1, secret: "plain:k"}]'
    file.write_text(f"merchant: m\n{shop}\nlogs: json\ntracing: {{otlp: 'http://h:4318/', sample: 0.5}}\n", encoding="utf-8")
    loaded = load(file)
    assert (loaded.logs, loaded.tracing and loaded.tracing.otlp, loaded.tracing and loaded.tracing.sample) == ("json", "http://h:4318", 0.5)
    monkeypatch.setenv("LOCKSTEP_LOG", "text")
    assert load(file).logs == "text"
