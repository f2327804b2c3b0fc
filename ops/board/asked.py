"""What a request asks for, read and bounded; what is wrong with it, in words."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from aiohttp import web

PAGE = 50
MAX_PAGE = 200
MAX_TEXT = 300  # characters of a name, a key or a number that is asked for
LONGEST_KEY = 4000  # characters of a key within a cursor
Body = TypeVar("Body", bound=msgspec.Struct)


class Refused(Exception):
    """The request cannot be answered; `status` and text go to whoever asked."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def refusal(status: int, why: str) -> web.Response:
    """Say why not."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Retry-After": "5"} if status == 503 else {}
    return web.json_response({"error": why}, status=status, headers=headers)


def storable(text: str) -> bool:
    """Whether PostgreSQL could hold such a text at all."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def number(request: web.Request, name: str, default: int, most: int, least: int = 1) -> int:
    """A whole number of the query. Raises Refused."""
    said = request.query.get(name)
    if said is None:
        return default
    if not said.isascii() or not said.isdecimal() or len(said) > 18 or not least <= int(said) <= most:
        raise Refused(400, f"{name} is a number from {least} to {most}")
    return int(said)


def limit(request: web.Request) -> int:
    """How many rows of a page are wanted. Raises Refused."""
    return number(request, "limit", PAGE, MAX_PAGE)


def text(request: web.Request, name: str) -> str | None:
    """A text of the query, None without one. Raises Refused."""
    said = request.query.get(name)
    if not said:
        return None
    if len(said) > MAX_TEXT or not storable(said):
        raise Refused(400, f"{name} is a text of at most {MAX_TEXT} characters")
    return said


def flag(request: web.Request, name: str) -> bool:
    """Whether `name=1` is asked for. Raises Refused."""
    said = request.query.get(name, "0")
    if said not in {"0", "1"}:
        raise Refused(400, f"{name} is 0 or 1")
    return said == "1"


async def body(request: web.Request, kind: type[Body]) -> Body:
    """The JSON body, of exactly this kind; none at all counts as an empty one. Raises Refused."""
    sent = await request.read()
    try:
        return msgspec.json.decode(sent or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        members = ", ".join(kind.__struct_fields__)
        raise Refused(400, f"the body is a JSON object with: {members}; each within its limits") from None


def cursor(request: web.Request, name: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """Where a page goes on: what `next_cursor` has made of the last row; as many Nones without one. Raises Refused."""
    said = request.query.get(name)
    if not said:
        return (None,) * len(kinds)
    try:
        found = msgspec.json.decode(base64.b64decode(said, altchars=b"-_", validate=True), type=list[str | int])
        return tuple(_part(part, kind) for part, kind in zip(found, kinds, strict=True))
    except (binascii.Error, msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        raise Refused(400, f"{name} is what an answer gave as `next`") from None


def _part(said: str | int, kind: type) -> Any:
    """A value of a cursor as its column has it. Raises ValueError."""
    if kind is int and isinstance(said, int) and abs(said) < 1 << 62:
        return said
    if kind is str and isinstance(said, str) and len(said) <= LONGEST_KEY and storable(said):
        return said
    if kind is datetime and isinstance(said, str):
        found = datetime.fromisoformat(said)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    raise ValueError(said)


def next_cursor(rows: list[Any], wanted: int, columns: tuple[str, ...]) -> tuple[list[Any], str | None]:
    """The rows of a page, of which one more than wanted was looked up, and where the next page begins."""
    if len(rows) <= wanted:
        return rows, None
    page = rows[:wanted]
    last = [value.isoformat() if isinstance(value := page[-1][name], datetime) else value for name in columns]
    return page, base64.b64encode(msgspec.json.encode(last), altchars=b"-_").decode()
