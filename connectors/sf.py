"""SF Express 顺丰 (丰桥): RoutePushService.

Push: JSON, or a form with `content` (XML), or XML alone; up to ten routes, which may be of several waybills. Only parcels that
were ordered through 丰桥 are pushed, and what is not acknowledged is pushed again. **No signature is publicly documented**: so
the address itself carries the secret, `/hooks/sf/SHOP?token=SECRET`, compared in constant time; keep it out of others' logs,
and let only SF's addresses through where you can. Times are GMT+8.
A route's `opCode` decides, together with its `reasonCode` where the table has the pair (`8000+1`); 8000 alone states nothing,
it comes beside 80. Codes that are newer than the list are read by `secondaryStatusCode` and `firstStatusCode`, if they come.
About three of four pushes are repeats: the id is a hash of waybill, opCode, acceptTime and remark.
"""

from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import MAX_FACTS, Connector, Fact, Push, Reply, TooMany
from connectors.config import COURIER, Shop
from connectors.markup import NotPlain, elements
from connectors.reading import Id, Maybe, Payload, Prose, Word, checked, in_zone, payload, peek
from connectors.signing import require_exact
from schemas import mapping
from schemas.facts import Unusable
from schemas.mapping import Entry, Table
from schemas.records import ParcelObservation, RawEvent

DONE: Final = "8000"
SHORTEST: Final = 16  # characters of a secret
JSON_DONE: Final = '{"return_code":"0000","return_msg":"成功"}'.encode()
XML_DONE: Final = b'<Response service="RoutePushService"><Head>OK</Head></Response>'


class Route(Payload):
    """One route of one waybill."""

    mailno: Id
    opCode: Id  # noqa: N815 -- the platform's names
    acceptTime: Any = None  # noqa: N815
    acceptAddress: Maybe[Word] = None  # noqa: N815
    remark: Prose | None = None
    reasonCode: Maybe[Id] = None  # noqa: N815
    firstStatusCode: Maybe[Id] = None  # noqa: N815
    secondaryStatusCode: Maybe[Id] = None  # noqa: N815


ROUTE: Final = TypeAdapter(Route)
ROUTE_NAME: Final = "WaybillRoute"


class Head(msgspec.Struct, rename="camel"):
    """What tells a route from others."""

    mailno: Any = None
    op_code: Any = None
    accept_time: Any = None
    remark: Any = None
    reason_code: Any = None


class Body(msgspec.Struct, rename={"routes": "WaybillRoute"}):
    """The routes: a list, or the only one."""

    routes: msgspec.Raw = msgspec.Raw(b"[]")


class Wrapped(msgspec.Struct, rename={"body": "Body"}):
    """A push in JSON."""

    body: Body | None = None


class Sf(Connector):
    """See the module."""

    name = "sf"
    kinds = frozenset({COURIER})

    def check(self, shop: Shop) -> None:
        """The secret is all that protects the address."""
        super().check(shop)
        if len(shop.secret) < SHORTEST:
            raise ValueError(f"sf {shop.shop}: SF signs nothing, so the secret must not be guessed: {SHORTEST} characters at least")

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """The secret in the address."""
        require_exact(shop.secret, push.query.get("token"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a route that states something."""
        found = _routes(push)
        if found is None:
            return [parcels.whole(shop, push.body)]
        if len(found) > MAX_FACTS:
            raise TooMany(f"{len(found)} routes in one push; {MAX_FACTS} are the most")
        table = mapping.load("sf")
        return [_fact(shop, route, head) for route, head in found if not _silent(table, head)]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as SF asks for a push in JSON."""
        return Reply(JSON_DONE)

    def answer(self, shop: Shop, push: Push, accepted: int, now: float) -> Reply:
        """Answer in the form of the push: JSON or XML."""
        return Reply(XML_DONE, "text/xml") if _markup(push) else self.acknowledge(shop, accepted)

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one route."""
        route = _read(event.payload)
        at, code = in_zone(route.acceptTime), route.opCode
        said = _meaning(mapping.load("sf"), route)
        return parcels.observation(event, said, at, code, route.remark, route.acceptAddress, courier=event.source, number=route.mailno)


def _meaning(table: Table, route: Route) -> Entry:
    """By the pair of opCode and reasonCode, by opCode, by the two statuses. Raises Unusable."""
    code, pair = route.opCode, f"{route.opCode}+{route.reasonCode}"
    if entry := table.get("opCode_reasonCode", pair):
        return parcels.meaning(table, entry.code, "opCode_reasonCode")
    if code == DONE and route.reasonCode:
        raise Unusable("unmapped_status", f"sf sent reasonCode {route.reasonCode!r} of 8000, which its table does not have", pair)
    if table.get("opCode", code) is None:
        for field, status in (("secondaryStatusCode", route.secondaryStatusCode), ("firstStatusCode", route.firstStatusCode)):
            if status and table.get(field, status):
                return parcels.meaning(table, status, field)
    return parcels.meaning(table, code, "opCode")


def _silent(table: Table, head: Head) -> bool:
    """Whether a route is known to state nothing; 8000 with a reason that nobody knows is not."""
    reason = head.reason_code not in (None, "")
    if reason and (str(head.op_code) == DONE or table.get("opCode_reasonCode", f"{head.op_code}+{head.reason_code}")):
        return False
    return parcels.silent(table, str(head.op_code), "opCode")


def _markup(push: Push) -> bytes | None:
    """The XML of a push in XML, in UTF-8; None for one in JSON."""
    if push.body[:1] == b"<":
        return push.body
    return push.form.get("content", "").encode() or None if push.body[:8] == b"content=" else None


def _routes(push: Push) -> list[tuple[bytes, Head]] | None:
    """Each route as it was sent, and what it says; None where there is no list of routes."""
    if (xml := _markup(push)) is not None:
        try:
            found = elements(xml, ROUTE_NAME)
        except NotPlain:
            return None
        return [(element.data, msgspec.convert(element.fields, Head)) for element in found] or None
    wrapped = peek(push.body, Wrapped)
    if wrapped is None or wrapped.body is None:
        return None
    routes = bytes(wrapped.body.routes)
    if routes[:1] != b"[":
        return [(routes, peek(routes, Head) or Head())]
    listed = peek(routes, list[msgspec.Raw])
    return None if listed is None else [(bytes(route), peek(route, Head) or Head()) for route in listed]


def _read(route: bytes) -> Route:
    """A route in either form. Raises Unusable."""
    if route[:1] != b"<":
        return payload(ROUTE, route)
    try:
        (element,) = elements(route, ROUTE_NAME)
    except ValueError as error:  # NotPlain, or not one
        raise Unusable("undecodable", f"the push is no XML with one route: {error}") from None
    return checked(ROUTE, element.fields)


def _fact(shop: Shop, route: bytes, head: Head) -> Fact:
    if head.mailno is None:
        return parcels.whole(shop, route)
    return parcels.node(shop, shop.name, head.mailno, route, head.op_code, head.accept_time, head.remark)
