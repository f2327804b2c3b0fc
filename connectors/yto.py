"""YTO 圆通: scans of one parcel each, in XML.

Push (走件流程推送): a form of `logistics_interface` (XML: UpdateInfo), `data_digest` = base64(MD5(logistics_interface + secret)),
`clientId` and `type`. No time is signed. `infoContent` says what happened; `infoType` other than STATUS is no scan and has no
fact, nor has a code that is known to state nothing. Times are GMT+8, also with `.0 CST` behind. A scan has no id: its is a
hash of waybill, infoContent, time and words. The answer is XML and names the order (`txLogisticID`) of the push. UTF-8 only:
that older accounts push in GBK is not publicly documented, nor how often a push is tried again.
"""

import re
from typing import Any, Final

from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import BadSignature, Connector, Fact, Push, Reply
from connectors.config import COURIER, Shop
from connectors.markup import NotPlain, elements
from connectors.reading import Id, Maybe, Payload, Prose, Word, checked, in_zone
from connectors.signing import md5_base64, require_exact
from schemas import mapping
from schemas.facts import Unusable
from schemas.records import ParcelObservation, RawEvent

INFO: Final = "UpdateInfo"
TAIL: Final = re.compile(r"(\.\d+)?( CST)?$")  # as Java writes a time of China
PLAIN: Final = re.compile(r"[\w.-]{0,64}", re.ASCII)


class Scan(Payload):
    """One scan."""

    mailNo: Id  # noqa: N815 -- the platform's names
    infoContent: Id  # noqa: N815
    acceptTime: Any = None  # noqa: N815
    remark: Prose | None = None
    orgName: Maybe[Word] = None  # noqa: N815
    city: Maybe[Word] = None
    deliveryName: Maybe[Word] = None  # noqa: N815


SCAN: Final = TypeAdapter(Scan)


class Yto(Connector):
    """See the module."""

    name = "yto"
    kinds = frozenset({COURIER})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`data_digest` over the XML and the secret."""
        fields = push.form
        if shop.app_key and fields.get("clientId") != shop.app_key:
            raise BadSignature("clientId is not this account's")
        require_exact(sign(fields.get("logistics_interface", ""), shop.secret), parcels.given(fields, "data_digest"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One scan."""
        data, fields = _xml(push), _fields(_xml(push))
        if not fields or not fields.get("mailNo"):
            return [parcels.whole(shop, data)]
        scan = fields.get("infoType", "STATUS") in ("", "STATUS")
        if not scan or parcels.silent(mapping.load("yto"), fields.get("infoContent", ""), "code"):
            return []
        said = (fields.get("infoContent"), fields.get("acceptTime"), fields.get("remark"))
        return [parcels.node(shop, shop.name, fields["mailNo"], data, *said)]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as YTO asks, without an order."""
        return _done("")

    def answer(self, shop: Shop, push: Push, accepted: int, now: float) -> Reply:
        """The same with the order that the push names."""
        order = _fields(_xml(push)).get("txLogisticID", "")
        return _done(order if PLAIN.fullmatch(order) else "")

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one scan."""
        fields = _fields(event.payload)
        if not fields:
            raise Unusable("undecodable", "the push is no XML with an UpdateInfo")
        scan = checked(SCAN, fields)
        said = parcels.meaning(mapping.load("yto"), scan.infoContent, "code")
        at = in_zone(TAIL.sub("", scan.acceptTime) if isinstance(scan.acceptTime, str) else scan.acceptTime)
        who = {"courier": event.source, "number": scan.mailNo}
        return parcels.observation(event, said, at, scan.infoContent, scan.remark, scan.orgName or scan.city, scan.deliveryName, **who)


def sign(data: str, secret: str) -> str:
    """`data_digest` of a push."""
    return md5_base64((data + secret).encode())


def _xml(push: Push) -> bytes:
    return push.form.get("logistics_interface", "").encode()


def _fields(data: bytes) -> dict[str, str]:
    """What an UpdateInfo says; nothing where there is none."""
    try:
        found = elements(data, INFO)
    except NotPlain:
        return {}
    return found[0].fields if len(found) == 1 else {}


def _done(order: str) -> Reply:
    words = f"<logisticProviderID>YTO</logisticProviderID><txLogisticID>{order}</txLogisticID><success>true</success>"
    return Reply(f"<Response>{words}</Response>".encode(), "text/xml")
