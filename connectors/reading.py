"""Reading what platforms write: JSON, times, money and ids, always exactly, and errors that a person understands."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, DecimalException, InvalidOperation
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from schemas.facts import Unusable

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MS: Final = timedelta(milliseconds=1)
SHANGHAI: Final = timezone(timedelta(hours=8))  # no summer time since 1991
INT64: Final = 2**63 - 1
NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f]*$"
_KEY_PART: Final = re.compile(r"[^\x00-\x1f\x7f:]{1,128}")
_KEY_END: Final = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
T = TypeVar("T")


class Payload(BaseModel):
    """A platform's payload. Fields that we do not use are left alone: platforms add them at any time."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _as_text(value: Any) -> Any:
    return str(value) if type(value) is int and abs(value) <= INT64 else value


def _no_empty(value: Any) -> Any:
    return None if value == "" else value


Id = Annotated[str, BeforeValidator(_as_text), StringConstraints(min_length=1, max_length=128, pattern=NO_CONTROLS, strict=True)]
"""An id: text, or an integer of 64 bits, which becomes text without ever being a float."""
NamePart = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f:]+$", strict=True)]
"""A name that begins a key, so without a colon."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=NO_CONTROLS, strict=True)]
Prose = Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00]*$", strict=True)]
Minor = Annotated[int, Field(strict=True, ge=0, le=2**53)]
"""Money in minor units, as an integer that JSON carries exactly."""
Maybe = Annotated[T | None, BeforeValidator(_no_empty)]
"""What platforms send as an empty text where there is nothing."""


def digest(*parts: str | bytes | None) -> str:
    """An event id from content, where the source has none of its own."""
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogatepass") if isinstance(part, str) else part or b""
        hashed.update(len(data).to_bytes(8, "big") + data)
    return hashed.hexdigest()[:40]


def peek(data: bytes | msgspec.Raw, kind: type[T]) -> T | None:
    """The few fields that tell whose a fact is; None where they cannot be read."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def key_of(*parts: Any) -> str | None:
    """The order or parcel key of these parts; None unless each is a text, or an integer, that may be part of a key."""
    texts = [str(part) if type(part) is int else part for part in parts]
    *names, last = texts
    if all(isinstance(text, str) for text in texts) and all(map(_KEY_PART.fullmatch, names)) and _KEY_END.fullmatch(last):
        return ":".join(texts)
    return None


def payload(adapter: TypeAdapter[T], data: bytes | str) -> T:
    """Validate JSON. Raises Unusable: `undecodable` for what is no JSON object, else `invalid` with one sentence."""
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        raise _unusable(error) from None
    except RecursionError:
        raise Unusable("undecodable", "the body is nested too deeply") from None


def checked(adapter: TypeAdapter[T], fields: Mapping[str, str]) -> T:
    """Validate what was read from another form than JSON. Raises Unusable `invalid` with one sentence."""
    try:
        return adapter.validate_python(fields)
    except ValidationError as error:
        raise _unusable(error) from None


def _unusable(error: ValidationError) -> Unusable:
    problems = error.errors(include_url=False, include_context=False)
    first = problems[0]
    if first["type"] == "json_invalid":
        return Unusable("undecodable", f"the body is no JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
    if not first["loc"] and first["type"] in {"model_type", "model_attributes_type", "dict_type"}:
        return Unusable("undecodable", f"the body is no JSON object but {_shown(first['input'])}")
    said = [_sentence(problem) for problem in problems[:3]]
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    return Unusable("invalid", "; ".join(said) + more)


def _sentence(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "the fact"
    if problem["type"] == "missing" or problem["input"] is None:
        return f"{where} is missing"
    if problem["type"] == "value_error":
        return f"{where}: {problem['msg'].removeprefix('Value error, ')}"
    return f"{where} is {_shown(problem['input'])}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, a list in a list in a list …
        return f"too much of {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "…"


def with_offset(value: object) -> int:
    """ISO 8601 with an offset, in ms. Raises Unusable `bad_timestamp`."""
    when = _parsed(value)
    if when.tzinfo is None:
        raise Unusable("bad_timestamp", f"occurred_at {_shown(value)} has no offset such as +08:00")
    return (when - EPOCH) // MS


def in_zone(value: object, zone: timezone = SHANGHAI) -> int:
    """`2026-11-22 10:00:00` read in the source's documented zone, unless it has an offset; in ms. Raises Unusable."""
    when = _parsed(value)
    return ((when if when.tzinfo else when.replace(tzinfo=zone)) - EPOCH) // MS


def _parsed(value: object) -> datetime:
    if not isinstance(value, str) or len(value) > 64:
        raise Unusable("bad_timestamp", f"{_shown(value)} is no time such as 2026-11-22T10:00:00+08:00")
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise Unusable("bad_timestamp", f"{_shown(value)} is no time such as 2026-11-22T10:00:00+08:00") from None


def epoch(value: object, unit: int) -> int:
    """Seconds (`unit` 1000) or milliseconds (`unit` 1) since 1970, as a number or as digits; in ms. Raises Unusable."""
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20 else value
    if type(number) is not int or not 0 <= number * unit <= 253_402_300_799_999:
        raise Unusable("bad_timestamp", f"{_shown(value)} is no time since 1970 in {'ms' if unit == 1 else 'seconds'}")
    return number * unit


def minor(amount: Any, digits: int = 2) -> int | None:
    """An amount in units, as text or as a JSON number, in minor units: `48.90` → 4890. None stays None. Raises Unusable.

    A float is taken by its shortest decimal text, never by its binary value.
    """
    if amount is None or amount == "":
        return None
    try:
        exact = Decimal(str(amount)).scaleb(digits)
        if isinstance(amount, bool) or not exact.is_finite() or exact != exact.to_integral_value() or abs(exact) > INT64:
            raise InvalidOperation
    except (DecimalException, ValueError):  # an exponent beyond all bounds is an Overflow; of too many digits no text is made
        raise Unusable("invalid", f"the amount {_shown(amount)} is no sum of money with {digits} decimals") from None
    return int(exact)


def elements(data: bytes | str) -> list[bytes] | None:
    """The elements of a JSON array, each byte for byte as it was sent; None for anything else."""
    found = peek(data.encode() if isinstance(data, str) else data, list[msgspec.Raw])
    return None if found is None else [bytes(element) for element in found]


def form(body: bytes, limit: int = 64) -> dict[str, str]:
    """The fields of an urlencoded form, the first of each name; empty for what is none."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=limit)
    except ValueError:  # not UTF-8, or more fields than any platform sends
        return {}
    return dict(reversed(pairs))
