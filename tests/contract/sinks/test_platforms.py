"""What every platform must do, and DingTalk's published signatures."""

import json
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from sinks.alerts import dingtalk, sms, wecom
from sinks.alerts.config import Bot, Sms, Target
from sinks.alerts.platform import Action, Message, Platform, without_secrets
from sinks.alerts.sender import PLATFORMS

TARGETS: dict[str, Target] = {
    "dingtalk": Bot("d", "dingtalk", "http://h/", "tok+en/1", "se&cret"),
    "wecom": Bot("w", "wecom", "http://h", "tok+en/1", "se&cret"),
    "sms": Sms("http://h/send", "se&cret"),
}
MESSAGE = Message("A1", "订单 A1 😀\n第二行", "zto:7", "c1")
every_platform = pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)


def _said(code: Any, **more: Any) -> bytes:
    return json.dumps({"errcode": code, "errmsg": "why", **more}).encode()


@every_platform
def test_request_holds_the_text_unescaped(platform: Platform) -> None:
    """The body is UTF-8 JSON with the text as it is, so that its size is what people see."""
    request = platform.encode(TARGETS[platform.name], MESSAGE, 1_700_000_000.5)
    assert "订单 A1 😀" in request.body.decode()
    assert json.loads(request.body)
    assert platform.size(MESSAGE.text) >= len(MESSAGE.text.encode())


@every_platform
def test_nothing_shows_a_secret(platform: Platform) -> None:
    """Neither the target nor the request shows token, secret or address when printed; what a platform says is filtered."""
    target = TARGETS[platform.name]
    shown = repr(target) + repr(platform.encode(target, MESSAGE, 1.0))
    assert not any(secret in shown for secret in ("tok+en", quote_plus("tok+en/1"), "se&cret"))
    assert without_secrets("token tok+en/1 and se&cret", target).count("***") == (1 if isinstance(target, Sms) else 2)


@every_platform
@pytest.mark.parametrize(
    ("status", "body", "action"),
    [
        (200, _said(0), Action.SENT),
        (200, _said("0"), Action.SENT),
        (200, _said(-1), Action.AGAIN),
        (200, _said(987654), Action.UNSURE),
        (200, b"<html>", Action.UNSURE),
        (200, b"[]", Action.UNSURE),
        (200, b"", Action.UNSURE),
        (429, b"", Action.SLOW),
        (500, _said(0), Action.AGAIN),
        (503, b"", Action.AGAIN),
        (404, b"", Action.MISCONFIGURED),
        (302, _said(0), Action.MISCONFIGURED),
    ],
)
def test_answers_common_to_all(platform: Platform, status: int, body: bytes, action: Action) -> None:
    """Only 2xx with errcode 0 is a message taken; HTTP status goes before the body where it says failure."""
    assert platform.judge(status, body).action is action


@pytest.mark.parametrize(
    ("platform", "code", "action"),
    [
        (dingtalk.PLATFORM, 130101, Action.SLOW),
        (dingtalk.PLATFORM, 310000, Action.MISCONFIGURED),
        (dingtalk.PLATFORM, 300005, Action.MISCONFIGURED),
        (dingtalk.PLATFORM, 460101, Action.REFUSED),
        (wecom.PLATFORM, 45009, Action.SLOW),
        (wecom.PLATFORM, 93000, Action.MISCONFIGURED),
        (wecom.PLATFORM, 40058, Action.REFUSED),
    ],
)
def test_errcodes(platform: Platform, code: int, action: Action) -> None:
    """Each platform's own codes mean what its documents say; the operator sees code and words."""
    answer = platform.judge(200, _said(code))
    assert (answer.action, answer.said) == (action, f"errcode {code}: why")


def test_dingtalk_says_how_long_to_wait() -> None:
    """The wait in a throttling answer is taken over; nonsense is not."""
    assert dingtalk.PLATFORM.judge(200, _said(130101, wait=77)).wait == 77
    assert dingtalk.PLATFORM.judge(200, _said(130101, wait="soon")).wait is None


@pytest.mark.parametrize(
    ("timestamp", "secret", "expected"),
    [
        (1577262236757, "this is secret", "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="),
        (1700000000000, "SECtest", "aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g="),
        (1672531200000, "SEC" + "0123456789abcdef" * 4, "0Wlx+Lq3XIZWHXhbYYFJMldpmZZ1ZmxB4M9El6JClYI="),
        (1577262236757, "SECtest", "Za/ne6w2koB8B4ROVlgTNd/X+/FbyDpZrXLz57xNZSA="),
    ],
)
def test_dingtalk_signatures(timestamp: int, secret: str, expected: str) -> None:
    """Published vectors and those of the PyPI DingtalkChatbot, in the function and in the address."""
    assert dingtalk.sign(timestamp, secret) == expected
    request = dingtalk.encode(Bot("d", "dingtalk", "http://h", "t", secret), MESSAGE, timestamp / 1000)
    assert parse_qs(urlsplit(request.url).query) == {"access_token": ["t"], "timestamp": [str(timestamp)], "sign": [expected]}
    assert quote_plus(expected) in request.url


@pytest.mark.parametrize(
    ("text", "size", "fits"), [("物" * 682, 2046, True), ("物" * 683, 2049, False), ("😀" * 512, 2048, True), ("物" * 1365, 4095, False)]
)
def test_wecom_sizes(text: str, size: int, *, fits: bool) -> None:
    """WeCom counts the bytes of the text in UTF-8, at most 2048."""
    assert wecom.PLATFORM.size(text) == size
    assert (wecom.PLATFORM.size(text) <= wecom.PLATFORM.max_bytes) == fits


def test_dingtalk_counts_the_whole_body() -> None:
    """DingTalk's 20,000 bytes hold the JSON around the text and its escapes."""
    text = '"\n' * 4000
    request = dingtalk.encode(Bot("d", "dingtalk", "http://h", "t", "s"), Message("A", text), 1.0)
    assert dingtalk.PLATFORM.size(text) == len(request.body)


def test_sms_is_signed_as_generic() -> None:
    """HMAC-SHA256 over `t.body`, in hex, as the inbound source of contract.md; computed beforehand with openssl."""
    assert sms.signature("k3", 1_700_000_000, b'{"a":1}') == (
        "t=1700000000,v1=a1043d36683daf20f4ee86c9104428fc34cf99888cf8d10b88faf033ede97f5b"
    )
