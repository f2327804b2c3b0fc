"""What a role logs: one event a line, as text for people or as JSON for machines; never a secret.

An event may name its order, parcel or trace: `log.warning("…", extra={"order_key": key})`. The trace is also taken from the current span.
"""

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal
from urllib.parse import quote, quote_plus, unquote

from opentelemetry import trace

from ops.config import Config

Form = Literal["text", "json"]
FORMS: Final[tuple[Form, ...]] = ("text", "json")
NAMED: Final = ("order_key", "parcel_key", "trace_id")  # fields of an event, where it has them
HIDDEN: Final = "***"
SHORT: Final = 8  # a secret shorter than this is hidden where it stands as a word: else every `s` of a text would be
TEXT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_PASSWORD: Final = re.compile(r"(?<=:)[^:/@]+(?=@)|(?<=password=)[^\s&']+")  # of a DSN, in either of its forms
CHATTY: Final = ("aiokafka", "faust", "mode")


def secrets_of(config: Config) -> Iterator[str]:
    """Give every secret of a configuration, as it is configured."""
    for shop in config.shops:
        yield from (shop.secret, shop.token or "", shop.aes_key or "")
        if shop.pull:
            yield from (shop.pull.secret or "", shop.pull.token or "", shop.pull.refresh or "")
    for bot in config.bots:
        yield from (bot.token, bot.secret)
    yield config.sms.secret if config.sms else ""
    yield (config.kafka.security.password or "") if config.kafka else ""
    yield config.token or ""
    if found := _PASSWORD.search(config.postgres or ""):
        yield from {found[0], unquote(found[0])}


class Redacted:
    """Replaces secrets in texts, as they are and as they stand in addresses, in JSON and in Python's representations."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        found = "|".join(_pattern(form) for form in sorted(forms, key=len, reverse=True))
        self._pattern = re.compile(found) if found else None

    def __call__(self, text: str) -> str:
        """Give the text without them."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text


def _forms(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]}


def _pattern(form: str) -> str:
    return re.escape(form) if len(form) >= SHORT else rf"(?<!\w){re.escape(form)}(?!\w)"


class Lines(logging.Formatter):
    """One event as text, or as a JSON object on a line. Whatever it holds (message, arguments, traceback) passes the filter."""

    def __init__(self, form: Form, redacted: Redacted) -> None:
        super().__init__(TEXT)
        self._form, self._redacted = form, redacted

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        _spell_out(record)
        fields = dict(_fields(record))
        if self._form == "json":
            return json.dumps(self._event(record) | {name: self._redacted(value) for name, value in fields.items()}, ensure_ascii=False)
        told = "".join(f" {name}={value}" for name, value in fields.items())
        line, _, rest = super().format(record).partition("\n")
        return self._redacted(f"{line}{told}\n{rest}" if rest else line + told)

    def _event(self, record: logging.LogRecord) -> dict[str, Any]:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = {"at": at, "level": record.levelname.lower(), "logger": record.name, "event": self._redacted(record.getMessage())}
        if record.exc_info and record.exc_info[0]:
            event["error"] = record.exc_info[0].__name__
            event["traceback"] = self._redacted(self.formatException(record.exc_info))
        return event


def _spell_out(record: logging.LogRecord) -> None:
    """Put arguments into the message. Where they do not fit, logging itself would print them past the filter."""
    try:
        record.msg = record.getMessage()
    except (TypeError, ValueError, KeyError):
        record.msg = f"{record.msg} {record.args!r}"
    record.args = None


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    for name in NAMED:
        if value := getattr(record, name, None):
            yield name, str(value)
        elif name == "trace_id" and (context := trace.get_current_span().get_span_context()).is_valid:
            yield name, f"{context.trace_id:032x}"


def set_up(config: Config, *more: str) -> None:
    """Log to stderr, to be kept by whoever started us. `more` are secrets that are in no configuration, such as a token that was made."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(config.logs, Redacted((*secrets_of(config), *more))))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _last_words


def _last_words(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """What ends the process is an event too: Python's own last words would pass the filter by."""
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("lockstep").critical("the process ends: %s", error, exc_info=(kind, error, where))
