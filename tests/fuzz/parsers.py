"""Everything that reads text or bytes which is not a push: each with the errors that it documents, in bounded time, by seeds."""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ops.config import ConfigError, load
from ops.config.resolve import example
from schemas import codec, couriers, evolve, mapping, phrases
from streams.orders.rules import RuleError, RuleSet
from tests.fuzz.bodies import SLOW, Found
from tests.fuzz.mutate import HEAVY, PATTERNS, RAW, SELDOM, VALUES

Reader = Callable[[random.Random], None]
SECRETS = dict.fromkeys(("DOUYIN_1001", "WEB_S1", "JST", "WMS_W1", "KD100", "ZTO_P1", "DINGTALK_TOKEN", "DINGTALK_SECRET"), "x" * 20)
YAML = example().read_text(encoding="utf-8")
RULES = """rules:
  - {id: a, when: "payable_minor > 10 && channel == 'web'", action: hold, reason: dear}
  - {id: b, when: "lines.exists(l, l.sku == 'S1')", action: release, branch: east, tags: [x, y]}
  - {id: c, when: "province.matches('^(a+)+$') || payment_method in ['cod', 'card']", action: filter}
"""
CEL = (
    "payable_minor", "channel", "lines", "l", "'a'", '"b"', "1", "0", "-9223372036854775808", "1u", "1.5e308", "true", "null",
    "[", "]", "(", ")",
    "{", "}", ".", ",", "?", ":", "&&", "||", "!", "==", "<", "in", "+", "-", "*", "/", "%", "size(", "matches('(a*)*b')",
    ".all(l, ", ".map(l, ",
    "timestamp('x')", "duration('1h')", "b'\\377'", "type(", "dyn(", "has(lines[0].sku)", "[1,2][5]",
    "province.matches(order_id)", "\\", "`", "中",
)  # fmt: skip
TABLES: Mapping[str, Callable[[str], Any]] = {
    "douyin.yaml": lambda text: mapping.parse(text, "t"),
    "couriers.yaml": lambda text: couriers.parse(text, "t"),
    "phrases.yaml": lambda text: phrases.parse(text, "t"),
}
TEXTS = {name: (mapping.FOLDER / name).read_text(encoding="utf-8") for name in TABLES}
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
ODD = (
    "\0", "\x07", "\ufeff", "\ufffe", "&a [*a]", "*a", "&a", "<<: *a", "!!python/object:os.system x", "!!binary ====",
    "!!int x", "!!set {a}", "!x y",
    "? [a]\n: b", "? {a: 1}\n: c", "- - - -", "[" * 500, "{a: " * 500, "---\na: 1\n---\nb: 2", "%YAML 9.9\n---", "\t", "|", ">",
    "'", '"', "@", "`", "#",
    "0o17", "0x1f", "1_000", "190:20:30", "2026-11-22", "2026-13-99", ".inf", ".nan", "~", "on", "9" * 5_000, "1e" + "9" * 400,
    "." + "9" * 20, BOMB, "",
)  # fmt: skip


def spoiled(text: str, rolls: random.Random) -> str:
    """Text with a line, a word or a few characters that are other than they were."""
    for _ in range(rolls.choice((1, 1, 2, 3))):
        lines = text.split("\n")
        at = rolls.randrange(len(lines))
        odd = str(rolls.choice((rolls.choice(ODD), rolls.choice(VALUES), rolls.choice(RAW))))
        match rolls.randrange(7):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, rolls.choice(lines))
            case 2:
                lines.insert(at, " " * rolls.randrange(9) + odd)
            case 3:
                head, colon, _ = lines[at].partition(":")
                lines[at] = f"{head}{colon} {odd}"
            case 4:
                place = rolls.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:place] + odd[:50] + lines[at][place + rolls.randrange(3) :]
            case 5:
                lines[at] = "  " * rolls.randrange(3) + lines[at].lstrip()
            case _:
                lines = lines[:at]
        text = "\n".join(lines)
    return text if rolls.random() >= SELDOM else rolls.choice((BOMB, *HEAVY)) + text[:100]


def configuration(rolls: random.Random) -> None:
    """`lockstep.yaml`: ConfigError with a line for a person, and nothing of a secret in it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lockstep.yaml"
        file.write_bytes(spoiled(YAML, rolls).encode("utf-8", rolls.choice(("replace", "surrogatepass"))))
        try:
            load(file, SECRETS)
        except ConfigError as error:
            if not error.problems or SECRETS["JST"] in str(error):
                raise ValueError("an error without a reason, or with a secret in it") from error


def rules(rolls: random.Random) -> None:
    """`rules.yaml` and the conditions in it; a rule that was taken gives a ruling for any order."""
    if rolls.random() < 0.5:
        text = spoiled(RULES, rolls)
    else:
        condition = "".join(rolls.choice(CEL) + rolls.choice(("", " ")) for _ in range(rolls.randrange(1, 12)))
        if rolls.random() < SELDOM:
            condition = rolls.choice(
                ("(" * 900 + "true" + ")" * 900, "!" * 1_900 + "true", "[" * 900 + "]" * 900, "true" + " || true" * 240)
            )
        text = f"rules: [{{id: a, when: {msgspec.json.encode(condition.encode('utf-8', 'replace').decode()).decode()}, action: hold}}]"
    try:
        found = RuleSet.parse(text)
    except RuleError:
        return
    texts = [value for value in VALUES if isinstance(value, str)]
    values = {
        name: rolls.choice(texts) for name in ("channel", "shop_id", "order_id", "currency", "payment_method", "customer_id", "province")
    }
    lines = [{"sku": rolls.choice(texts), "qty": 1, "price_minor": rolls.choice((0, 2**53))}] * rolls.choice((0, 1, 500))
    ruling = found.judge({**values, "payable_minor": rolls.choice((0, 2**53, -1)), "lines": lines})
    assert ruling.action in {"release", "hold", "filter"}


def tables(rolls: random.Random) -> None:
    """Mapping tables, names of couriers, phrases: ValueError (of which MappingError is one)."""
    name = rolls.choice(list(TABLES))
    try:
        TABLES[name](spoiled(TEXTS[name][: rolls.choice((1_500, 4_000))], rolls))
    except ValueError:
        return


def words(rolls: random.Random) -> None:
    """A courier's text: patterns that take long for a text that nearly fits would show here."""
    unit = "".join(rolls.choice(PATTERNS) for _ in range(rolls.randrange(1, 4)))
    text = (unit * 600)[: rolls.choice((20, 200, 500, 4_000))] + rolls.choice(PATTERNS)
    phrases.load().read(text)


def _value(hint: Any) -> Any:
    simple: dict[Any, Any] = {str: "text", int: 7, bool: True, bytes: b"bytes", float: 1.0}
    if hint in simple:
        return simple[hint]
    origin = getattr(hint, "__origin__", None)
    return origin() if origin in {list, dict} else None


def _frames() -> list[tuple[type[Any], bytes]]:
    found = []
    for kind in evolve.WIRED:
        hints = {field.name: field.type for field in msgspec.structs.fields(kind) if field.required}
        found.append((kind, codec.encode(kind(**{name: _value(hint) for name, hint in hints.items()}))))
    return found


FRAMES = _frames()


def frames(rolls: random.Random) -> None:
    """Framed Avro of every record, cut, flipped and lengthened: NotARecord, or a record that is written again."""
    kind, good = rolls.choice(FRAMES)
    data, at = bytearray(good), rolls.randrange(len(good))
    match rolls.randrange(6):
        case 0:
            data = data[:at]
        case 1:
            data[at] ^= 1 << rolls.randrange(8)
        case 2:
            data[at : at + 1] = rolls.choice((b"\xff" * 10, b"\xfe\xff\xff\xff\x0f", b"\x80" * 12, b"\x01", b"\x00", b"\xff" * 9 + b"\x01"))
        case 3:
            data[at:at] = rolls.randbytes(rolls.randrange(1, 12))
        case 4:
            data[:] = data[:5] + rolls.randbytes(rolls.randrange(200))
        case _:
            data += rolls.randbytes(3)
    try:
        found = codec.decode(bytes(data), kind)
    except codec.NotARecord:
        return
    codec.encode(found)


READERS: Mapping[str, tuple[Reader, int]] = {
    "configuration": (configuration, 1),
    "rules": (rules, 2),
    "tables": (tables, 2),
    "words": (words, 6),
    "frames": (frames, 60),
}
"""Each reader with how many of its inputs come in a round."""


def run(seed: int, rounds: int) -> Counter[str]:
    """How many inputs of each kind were read. Raises Found."""
    counts: Counter[str] = Counter()
    for name, (reader, share) in READERS.items():
        rolls = random.Random(f"{seed}/{name}")
        for number in range(rounds * share):
            began = time.process_time()
            try:
                reader(rolls)
            except Exception as error:
                raise Found(f"seed {seed}, {name} {number}: {type(error).__name__}: {str(error)[:1500]}") from error
            if (took := time.process_time() - began) > SLOW:
                raise Found(f"seed {seed}, {name} {number} took {took:.1f} s of processor time")
            counts[name] += 1
    return counts
