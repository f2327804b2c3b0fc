"""ZTO 中通: scans of one parcel each.

Push: a form, or JSON, of data, data_digest, msg_type ("Traces") and company_id; `data_digest` = base64(MD5(data + secret)).
No time is signed. `data` is JSON in a text, times GMT+8. A scan has no id: its is a hash of waybill, action, time and words.
The action decides; in a query's answer the same words mean other things (see the table).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import BadSignature, Connector, Fact, Push, Reply
from connectors.config import COURIER, Shop
from connectors.reading import Id, Maybe, Payload, Prose, Word, digest, in_zone, key_of, payload, peek
from connectors.signing import md5_base64, require_exact
from schemas import mapping
from schemas.records import ParcelObservation, RawEvent


class Scan(Payload):
    """One scan."""

    billCode: Id  # noqa: N815 -- the platform's names
    action: Id
    actionTime: Any = None  # noqa: N815
    desc: Prose | None = None
    facilityName: Maybe[Word] = None  # noqa: N815
    city: Maybe[Word] = None
    courier: Maybe[Word] = None


SCAN: Final = TypeAdapter(Scan)


class Head(msgspec.Struct):
    """What tells a scan from others."""

    billCode: Any = None  # noqa: N815 -- the platform's names
    action: Any = None
    actionTime: Any = None  # noqa: N815
    desc: Any = None


class Zto(Connector):
    """See the module."""

    name = "zto"
    kinds = frozenset({COURIER})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`data_digest` over `data` and the secret."""
        fields = _fields(push)
        if shop.app_key and fields.get("company_id") != shop.app_key:
            raise BadSignature("company_id is not this account's")
        require_exact(sign(fields.get("data", ""), shop.secret), parcels.given(fields, "data_digest"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One scan."""
        scan = _fields(push).get("data", "").encode()
        head = peek(scan, Head)
        if head is None or head.billCode is None:
            event_id = digest(shop.name, scan)
        else:
            said = (head.billCode, head.action, head.actionTime, head.desc)
            event_id = digest(shop.name, *(None if part is None else str(part) for part in said))
        key = key_of(shop.name, head.billCode) if head else None
        return [Fact(event_id, key or event_id, shop.name, scan)]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as ZTO asks: `status` decides."""
        return Reply('{"status":true,"statusCode":"200","message":"成功","result":"成功"}'.encode())

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one scan."""
        scan = payload(SCAN, event.payload)
        said = parcels.meaning(mapping.load("zto"), scan.action, "push")
        at, place, who = in_zone(scan.actionTime), scan.facilityName or scan.city, {"courier": event.source, "number": scan.billCode}
        return parcels.observation(event, said, at, scan.action, scan.desc, place, scan.courier, **who)


def sign(data: str, secret: str) -> str:
    """`data_digest` of a push."""
    return md5_base64((data + secret).encode())


def _fields(push: Push) -> Mapping[str, str]:
    if push.body[:1] == b"{":
        found = peek(push.body, dict[str, Any]) or {}
        return {name: value for name, value in found.items() if isinstance(value, str)}
    return push.form
