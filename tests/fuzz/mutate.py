"""Structure-aware mutations of what platforms send: one seed, one body.

A message is taken apart as JSON, also the JSON inside its texts, changed in a few places, and put together again with
tokens that no serialiser would write: huge integers, lone surrogates, NaN, a key twice.
"""

import copy
import gzip
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from schemas import mapping

MARK = "\x02raw\x02"  # stands for a token that is put in as it is
LONG = 300_000  # characters of a long text; a body may have 1 MiB

RAW: tuple[str, ...] = (
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1E+999999999", "-0", "-0.0", "0e0", "01", "1.", ".5", "0x10", "1_0",
    "9" * 19, "9" * 20, "9" * 40, "1e-5000", "1e5000", "-1e999999",
    str(2**53), str(2**53 + 1), str(2**63 - 1), str(2**63), str(-(2**63) - 1), str(2**64),
    '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"a\\u0000b"', '"\\x41"', '"', "tru", "nul", "'a'", "//x", "undefined", "",
    "[1,]", '{"a":1,}', "{1:2}", '{"":""}', "\ufeff1", "[[[[[[[[[[1]]]]]]]]]]",
)  # fmt: skip
HEAVY: tuple[str, ...] = (  # seldom: they take the time of a hundred others
    "9" * 4_300, "9" * 4_301, "9" * 20_000, "-" + "9" * 5_000, "1." + "3" * 5_000, '"' + "9" * 5_000 + '"', '"1e' + "9" * 5_000 + '"',
    "[" * 200 + "]" * 200, "[" * 20_000, '{"a":' * 300 + "1" + "}" * 300, '{"a":' * 20_000, "[" * 990 + "]" * 990, json.dumps([{}] * 501),
    json.dumps(list(range(600))),
)  # fmt: skip
SELDOM = 0.01
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 12, 10**12, 1.5, 1e308, 0.1, -0.0, "", " ", "0", "1", "-1", "2", "null", "true", "\0", "\x7f",
    "\u202e", "\ufeff", "é", "e\u0301",
    "😀" * 40, "é" * 128, "中" * 128, "中" * 129, "a" * 128, "a" * 129, "a:b", ":", "a:b:c", "../..", "%00",
    "{}", "[]", '{"a":1}', "<script>", "'; DROP TABLE orders; --", "{0.__class__}", "%s%n", "${jndi:x}", "a\nb", "a\r\nX: y", "\t",
    "0000-00-00 00:00:00", "1969-12-31 23:59:59", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-23:59", "2026-02-30 10:00:00",
    "2026-11-22T10:00:00", "2026-11-22", "20261122T100000Z", "2026-W47-7", "2026-11-22 24:00:00", "2026-11-22T10:00:00+99:99",
    "2026-11-22T10:00:00.123456789+08:00", " 2026-11-22 10:00:00 ", "１７９５３１２８００", "1795312800", "1795312800000", "253402300800",
    "1e3", "1e999999", "9e9999999", "1e-999999", "48.905", "-48.90", "+1", "48,90", "٤٨", "²", "½", "∞", "Infinity", "NaN", "sNaN", "0x1f",
    "9" * 30, "Signed", "PaymentConfirmed", "Cancelled", "fulfilment", "aftersale", "stock", "refund_only", "快件已签收",
    [], {}, [[]], [None], [{}], {"": None}, ["a"] * 3, {"a": {"b": {"c": [1, 2, {"d": None}]}}},
)  # fmt: skip
CODES = tuple(code for source in sorted(mapping.sources()) for rows in mapping.load(source).fields.values() for code in rows)
PATTERNS = (
    "快件",
    "已",
    "【",
    "】",
    "（",
    ")",
    " ",
    "派",
    "签收",
    "a",
    "0",
    "到达",
    "，",
    "。",
    "您的",
    "电话",
    "\u3000",
    "-",
    "驿站",
    "菜鸟",
)


class Mutator:
    """One body after the other, all by one seed."""

    def __init__(self, seed: int) -> None:
        self.rolls = random.Random(seed)

    def message(self, message: bytes) -> bytes:
        """A message of a platform, changed in one to four places, or broken as bytes."""
        rolls, chance = self.rolls, self.rolls.random()
        if chance < 0.1:
            return self.broken(message)
        if chance < 0.25:
            return message  # beside others that are not as they should be
        try:
            value = json.loads(message)
        except ValueError:
            return self.broken(message)
        return self.changed(value).encode("utf-8", "surrogatepass" if rolls.random() < 0.01 else "replace")

    def changed(self, value: Any) -> str:
        """The value with changes, as text."""
        raw: list[str] = []
        for _ in range(self.rolls.choice((1, 1, 1, 1, 2, 3))):
            value = self.change(value, raw)
        text = json.dumps(value, ensure_ascii=self.rolls.random() < 0.2, separators=(",", ":"))
        marked = json.dumps(MARK)
        for token in raw:
            text = text.replace(marked, token, 1)
        return text

    def change(self, value: Any, raw: list[str]) -> Any:
        """One change somewhere inside."""
        rolls = self.rolls
        if isinstance(value, str) and value[:1] in "{[" and rolls.random() < 0.8:
            try:
                return self.changed(json.loads(value))
            except (ValueError, RecursionError):
                pass
        if isinstance(value, dict) and value and rolls.random() < 0.92:
            return self._in_object(value, raw)
        if isinstance(value, list) and value and len(value) < 50 and rolls.random() < 0.8:
            place = rolls.randrange(len(value))
            return [*value[:place], self.change(value[place], raw), *value[place + 1 :]]
        return self.other(value, raw)

    def _in_object(self, value: dict[str, Any], raw: list[str]) -> Any:
        rolls = self.rolls
        name = rolls.choice(list(value))
        found = dict(value)
        match rolls.randrange(14):
            case 0:
                del found[name]
            case 1:
                found[rolls.choice((name.upper(), name + " ", name[:-1], "", "a" * 300))] = found.pop(name)
            case 2:
                other = rolls.choice(list(value))
                found[name], found[other] = found[other], found[name]
            case 3:
                found[name] = [found[name]] * (501 if rolls.random() < SELDOM else rolls.choice((1, 2, 3)))
            case 4:
                found[rolls.choice(("extra", "__proto__", "sequence", "events", "code", "Encrypt"))] = self.other(None, raw)
            case 5:  # the key twice: its second value is what a token brings along
                raw.append(f"{json.dumps(found[name])},{json.dumps(name)}:{json.dumps(rolls.choice(VALUES))}")
                found[name] = MARK
            case _:
                found[name] = self.change(found[name], raw)
        return found

    def other(self, value: Any, raw: list[str]) -> Any:
        """Another value in this one's place."""
        rolls = self.rolls
        match rolls.randrange(12):
            case 0 | 1:
                raw.append(rolls.choice(HEAVY if rolls.random() < SELDOM else RAW))
                return MARK
            case 3 if isinstance(value, str):
                return self.text(value)
            case 4 if isinstance(value, int):
                return rolls.choice((str(value), float(value), value + 1, -value, value * 1000, value // 1000, f" {value}"))
            case 5 if rolls.random() < SELDOM:
                return rolls.choice(("a", "中", "9", "\0", "[", "快件已")) * (LONG // 3)
            case 6 | 7:
                code = rolls.choice(CODES)
                return int(code) if code.isdecimal() and rolls.random() < 0.5 else code
            case 8:
                return "".join(rolls.choice(PATTERNS) for _ in range(rolls.randrange(1, 40)))
            case _:
                return copy.copy(rolls.choice(VALUES))

    def text(self, value: str) -> str:
        """A text that is nearly the same."""
        rolls = self.rolls
        at = rolls.randrange(len(value) + 1)
        new = rolls.choice(("", "\0", " ", ":", "\ud800", "😀", "%", '"', "\\", "é", "0", value))
        return value[:at] + new + value[at + rolls.randrange(2) :]

    def broken(self, message: bytes) -> bytes:
        """Bytes that are wrong as bytes."""
        rolls = self.rolls
        at = rolls.randrange(len(message) + 1)
        ways: Sequence[Callable[[], bytes]] = (
            lambda: message[:at],
            lambda: message[:at] + bytes(rolls.randrange(256) for _ in range(rolls.randrange(1, 9))) + message[at:],
            lambda: message[:at] + bytes([message[at % len(message)] ^ 1 << rolls.randrange(8)]) + message[at + 1 :] if message else b"\0",
            lambda: message.decode("utf-8", "replace").encode(rolls.choice(("utf-16", "utf-32-le", "gb18030", "utf-7"))),
            lambda: gzip.compress(message, mtime=0)[: rolls.choice((None, 12, -8))],
            lambda: b"\xef\xbb\xbf" + message,
            lambda: message + message,
            lambda: b" \n\t" * rolls.randrange(1, 50) + message + b"\0" * rolls.randrange(3),
            lambda: message.replace(b'"', b"'"),
            lambda: message.replace(rolls.choice((b":", b",", b"{", b'"')), rolls.choice((b"", b"::", b"{{", b'\\"'))),
            lambda: bytes(rolls.randrange(256) for _ in range(rolls.randrange(60))),
            lambda: rolls.choice((b"", b"null", b"[]", b"{}", b"0", b'""', b"true", b"[[", b"{", b"\xff\xfe", b"[null]", b'[{"a":[]}]')),
            lambda: b"[" * (100_000 if rolls.random() < SELDOM else 100),
            lambda: b"<xml><a>1</a></xml>",
        )
        return rolls.choice(ways)()
