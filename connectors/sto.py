"""STO 申通: scans of one parcel each.

Push (STO_TRACE_PLATFORM_PUSH): a form of `content` (JSON) and `data_digest` = base64(MD5(content + secret)), with api_name and
from_appkey. No time is signed. That the push is signed as calls are is publicly shown in code for calls only. `content` holds
the waybill and one `trace`; its `outBizCode` is STO's own id of the scan, which is pushed again when an answer is late, else the
id is a hash of waybill, scan type, time and words. `scanType` decides, 国际 parcels have an Action Code there. Times are GMT+8.
UTF-8 only: that older accounts push in GBK is not publicly documented, nor how often a push is tried again.
"""

from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import BadSignature, Connector, Fact, Push, Reply
from connectors.config import COURIER, Shop
from connectors.reading import Id, Maybe, Payload, Prose, Word, in_zone, payload, peek
from connectors.signing import md5_base64, require_exact
from schemas import mapping
from schemas.records import ParcelObservation, RawEvent

FIELDS: Final = ("code", "scanType", "intl")  # of the table, in turn


class Trace(Payload):
    """One scan."""

    scanType: Id  # noqa: N815 -- the platform's names
    opTime: Any = None  # noqa: N815
    memo: Prose | None = None
    opOrgName: Maybe[Word] = None  # noqa: N815
    opOrgCityName: Maybe[Word] = None  # noqa: N815
    opEmpName: Maybe[Word] = None  # noqa: N815


class Content(Payload):
    """A push."""

    waybillNo: Id  # noqa: N815 -- the platform's name
    trace: Trace


CONTENT: Final = TypeAdapter(Content)


class TraceHead(msgspec.Struct, rename="camel"):
    """What tells a scan from others."""

    out_biz_code: Any = None
    scan_type: Any = None
    op_time: Any = None
    memo: Any = None


class Head(msgspec.Struct, rename="camel"):
    """Whose it is."""

    waybill_no: Any = None
    trace: TraceHead | None = None


class Sto(Connector):
    """See the module."""

    name = "sto"
    kinds = frozenset({COURIER})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`data_digest` over `content` and the secret."""
        fields = push.form
        if shop.app_key and fields.get("to_appkey", shop.app_key) != shop.app_key:
            raise BadSignature("to_appkey is not this account's")
        require_exact(sign(fields.get("content", ""), shop.secret), parcels.given(fields, "data_digest"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One scan."""
        content = push.form.get("content", "").encode()
        head = peek(content, Head)
        if head is None or head.trace is None or not isinstance(head.waybill_no, str | int):
            return [parcels.whole(shop, content)]
        trace = head.trace
        if parcels.silent(mapping.load("sto"), str(trace.scan_type), *FIELDS):
            return []
        said = (trace.scan_type, trace.op_time, trace.memo)
        return [parcels.node(shop, shop.name, head.waybill_no, content, *((trace.out_biz_code,) if trace.out_biz_code else said))]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as STO's gateway answers."""
        return Reply(b'{"success":"true","errorCode":"","errorMsg":""}')

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one scan."""
        content = payload(CONTENT, event.payload)
        trace, who = content.trace, {"courier": event.source, "number": content.waybillNo}
        said = parcels.meaning(mapping.load("sto"), trace.scanType, *FIELDS)
        place = trace.opOrgName or trace.opOrgCityName
        return parcels.observation(event, said, in_zone(trace.opTime), trace.scanType, trace.memo, place, trace.opEmpName, **who)


def sign(content: str, secret: str) -> str:
    """`data_digest` of a push."""
    return md5_base64((content + secret).encode())
