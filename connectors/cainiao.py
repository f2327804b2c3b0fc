"""Cainiao 菜鸟: the LINK gateway, traces of many couriers.

Push: a form of `logistics_interface` (JSON), `data_digest` = base64(MD5(logistics_interface + secret)), `msg_type` and
`logistic_provider_id`. No time is signed. The gateway's envelope and digest are public; **what a pushed trace looks like inside
is not publicly documented for every product**. Read are the two forms that are seen in public traces: one object of mailNo,
cpCode and a list (`logisticsTraceDetailList`, `logisticsFullTraceList`, `traceList` or `traces`) of nodes with `time`, `desc` and
`subLogisticsStatus`/`logisticsStatus` (domestic) or `actionCode` (global), and such a node alone with its mailNo. Anything else
is kept as a dead letter. The sub-status decides: STA_INBOUND comes under DELIVERING. `time` is in ms, or a text in GMT+8
unless the node says its `timeZone`. Each node is a fact of its own, with a hash of waybill, time, words and code as its id.
Not publicly documented: the acknowledgement (LINK's usual one is given), and how often a push is tried again.
"""

import re
from datetime import timedelta, timezone
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import MAX_FACTS, BadSignature, Connector, Fact, Push, Reply, TooMany
from connectors.config import COURIER, Shop
from connectors.reading import SHANGHAI, Id, Maybe, Payload, Prose, Word, epoch, in_zone, payload, peek
from connectors.signing import md5_base64, require_exact
from schemas import couriers, mapping
from schemas.mapping import Entry
from schemas.phrases import Reading
from schemas.records import ParcelObservation, RawEvent

OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?")


class Node(Payload):
    """One node of a trace."""

    time: Any = None
    timeZone: Any = None  # noqa: N815 -- the platform's names
    desc: Prose | None = None
    subLogisticsStatus: Maybe[Id] = None  # noqa: N815
    logisticsStatus: Maybe[Id] = None  # noqa: N815
    actionCode: Maybe[Id] = None  # noqa: N815
    areaName: Maybe[Word] = None  # noqa: N815


NODE: Final = TypeAdapter(Node)


class Head(msgspec.Struct, rename="camel"):
    """What tells a node from others."""

    time: Any = None
    desc: Any = None
    sub_logistics_status: Any = None
    logistics_status: Any = None
    action_code: Any = None


class Trace(msgspec.Struct, rename="camel"):
    """A parcel and its nodes, under the name that this product gives them; one node alone has none."""

    mail_no: Any = None
    cp_code: Any = None
    logistics_trace_detail_list: list[msgspec.Raw] | None = None
    logistics_full_trace_list: list[msgspec.Raw] | None = None
    trace_list: list[msgspec.Raw] | None = None
    traces: list[msgspec.Raw] | None = None

    @property
    def nodes(self) -> list[msgspec.Raw] | None:
        """The list that there is."""
        lists = (self.logistics_trace_detail_list, self.logistics_full_trace_list, self.trace_list, self.traces)
        return next((found for found in lists if found is not None), None)


class Cainiao(Connector):
    """See the module."""

    name = "cainiao"
    kinds = frozenset({COURIER})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`data_digest` over `logistics_interface` and the secret."""
        fields = push.form
        if shop.app_key and fields.get("logistic_provider_id") != shop.app_key:
            raise BadSignature("logistic_provider_id is not this account's")
        require_exact(sign(fields.get("logistics_interface", ""), shop.secret), parcels.given(fields, "data_digest"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a node that states something."""
        data = push.form.get("logistics_interface", "").encode()
        trace = peek(data, Trace)
        if trace is None or not isinstance(trace.mail_no, str | int):
            return [parcels.whole(shop, data)]
        nodes = [data] if trace.nodes is None else [bytes(raw) for raw in trace.nodes]
        if len(nodes) > MAX_FACTS:
            raise TooMany(f"{len(nodes)} nodes in one push; {MAX_FACTS} are the most")
        courier = couriers.ours(trace.cp_code) if isinstance(trace.cp_code, str) and trace.cp_code else shop.name
        heads = [(node, peek(node, Head) or Head()) for node in nodes]
        return [_fact(shop, courier, trace.mail_no, node, head) for node, head in heads if not _silent(head)]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as LINK is usually answered."""
        return Reply(b'{"success":"true","errorCode":"","errorMsg":""}')

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one node."""
        parcels.whose(event)
        node = payload(NODE, event.payload)
        table, code = mapping.load("cainiao"), node.subLogisticsStatus or node.logisticsStatus
        said: Entry | Reading
        if code:
            said = parcels.meaning(table, code, "logisticsStatus", "numeric_status")
        elif node.actionCode:
            said = parcels.meaning(table, node.actionCode, "actionCode")
        else:
            said = parcels.worded(parcels.read(node.desc), node.desc or "")
        return parcels.observation(event, said, _at(node), code or node.actionCode, node.desc, node.areaName)


def sign(data: str, secret: str) -> str:
    """`data_digest` of a push."""
    return md5_base64((data + secret).encode())


def _silent(head: Head) -> bool:
    if code := head.sub_logistics_status or head.logistics_status:
        return parcels.silent(mapping.load("cainiao"), str(code), "logisticsStatus", "numeric_status")
    return parcels.silent(mapping.load("cainiao"), str(head.action_code), "actionCode")


def _fact(shop: Shop, courier: str, number: object, data: bytes, head: Head) -> Fact:
    said = (head.time, head.desc, head.sub_logistics_status or head.logistics_status or head.action_code)
    return parcels.node(shop, courier, number, data, *(said if head.time else ()))


def _at(node: Node) -> int:
    if type(node.time) is int or (isinstance(node.time, str) and node.time.isascii() and node.time.isdigit()):
        return epoch(node.time, 1)
    offset = OFFSET.fullmatch(node.timeZone.strip()) if isinstance(node.timeZone, str) else None
    if offset is None:
        return in_zone(node.time)
    away = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
    return in_zone(node.time, timezone(away if offset[1] == "+" else -away) if away < timedelta(hours=24) else SHANGHAI)
