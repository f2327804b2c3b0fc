"""What every connector must do with Chinese, with other encodings, and with pushes that are encrypted."""

import contextlib
import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from connectors.base import Refused
from connectors.intake import Address
from schemas import codec
from schemas.facts import Unusable
from schemas.records import RawEvent
from tests.contract.connectors import test_conformance as conformance
from tests.contract.connectors.cases import CASES, NOW, Case, other_secret

WORDS = "收件人：张三 🚚 “备注”"
OTHER_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
every = conformance.every
ENCRYPTED = [case for case in CASES if case.shop.aes_key or not case.mac]


def fields(message: bytes) -> dict[str, Any] | None:
    """The fields of a message that is a JSON object; None for rows of values and XML."""
    with contextlib.suppress(msgspec.DecodeError):
        found = msgspec.json.decode(message)
        return found if isinstance(found, dict) else None
    return None


def said(case: Case, message: bytes) -> list[tuple[object, ...]]:
    """What a message states."""
    return [conformance.statement(case, event) for event in conformance.events(case, message)]


def spelled(message: dict[str, Any], *, ascii_only: bool = False) -> bytes:
    """A message in JSON, Chinese as it is or escaped."""
    return json.dumps(message, ensure_ascii=ascii_only, separators=(",", ":")).encode()


@every
def test_chinese_is_kept_and_read(case: Case) -> None:
    """A message with Chinese in it, as UTF-8 or escaped, states what it states without, and its bytes are kept."""
    read = 0
    for message in case.messages:
        found = fields(message)
        if found is None:
            continue
        plain = said(case, spelled({**found, "lockstep_remark": "x"}))  # another topic, where a header says it by the message's bytes
        read += plain == said(case, message)
        for ascii_only in (False, True):
            chinese = spelled({**found, "lockstep_remark": WORDS}, ascii_only=ascii_only)
            assert said(case, chinese) == plain
            assert {event.payload for event in conformance.events(case, chinese)} <= {chinese}
    assert read or not any(map(fields, case.messages))


@every
def test_another_encoding_is_never_misread(case: Case) -> None:
    """GBK and UTF-16, which none of our platforms is documented to push, end as dead letters or as what they state: never in a crash."""
    for encoding in ("gbk", "utf-16", "gb18030"):
        message = case.messages[0].decode().replace("{", '{"remark":"收件人",', 1).encode(encoding, "replace")
        for event in conformance.kept(case, message):
            with contextlib.suppress(Unusable):
                conformance.statement(case, event)


@pytest.mark.parametrize("case", ENCRYPTED, ids=[f"{case.name}-{case.shop.kind}" for case in ENCRYPTED])
def test_what_another_key_encrypted_is_not_read(case: Case) -> None:
    """A push that this shop's key does not decrypt states nothing: refused, or one dead letter."""
    shop = replace(case.shop, aes_key=OTHER_KEY) if case.shop.aes_key else other_secret(case)
    for message in case.messages:
        with contextlib.suppress(Refused):
            records = Address(shop, case.connector).receive(case.push(message), NOW)
            for record in records:
                with pytest.raises(Unusable):
                    case.connector.decode(codec.decode(record.value, RawEvent))
