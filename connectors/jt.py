"""J&T Express 极兔: traces of one parcel.

Push (statusFeedback): a form of `bizContent` (JSON); headers `apiAccount`, `timestamp` and `digest` = base64(MD5(bizContent +
private key)). The time is not part of the digest. `bizContent` holds the waybill and its `details`, each of which is a fact: its
id is a hash of waybill, time, scan and words. What happened is told by, in turn: the kind of problem (`problemType`: A14, or its
name), the scan's name (`scanType`: 快件揽收), its number (`scanTypeCode`). The name goes first, since J&T has two numberings:
1 and 10 mean different things in them, and without a name they are not read. Codes of other markets differ. Times are GMT+8
unless a detail says its `timeZone` (GMT+07:00). The digest of the push is publicly shown in code only, the answer in a sample
only; how often a push is tried again is not publicly documented. Subscribing to a number is a write and not done here.
"""

import re
from datetime import timedelta, timezone
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import parcels
from connectors.base import MAX_FACTS, BadSignature, Connector, Fact, Push, Reply, TooMany
from connectors.config import COURIER, Shop
from connectors.reading import SHANGHAI, Id, Maybe, Payload, Prose, Word, in_zone, payload, peek
from connectors.signing import md5_base64, require_exact
from schemas import mapping
from schemas.mapping import Entry
from schemas.phrases import Reading
from schemas.records import ParcelObservation, RawEvent

ZONE: Final = re.compile(r"(?:GMT|UTC)?([+-])([01]?\d|2[0-3])(?::?([0-5]\d))?")
NUMBERS: Final = ("scan", "op")  # fields of the two numberings


class Scan(Payload):
    """One node of a trace."""

    scanTime: Any = None  # noqa: N815 -- the platform's names
    desc: Prose | None = None
    scanType: Maybe[Id] = None  # noqa: N815
    scanTypeCode: Maybe[Id] = None  # noqa: N815
    problemType: Maybe[Id] = None  # noqa: N815
    scanNetworkName: Maybe[Word] = None  # noqa: N815
    scanNetworkCity: Maybe[Word] = None  # noqa: N815
    staffName: Maybe[Word] = None  # noqa: N815
    timeZone: Maybe[Word] = None  # noqa: N815


SCAN: Final = TypeAdapter(Scan)


class Head(msgspec.Struct, rename="camel"):
    """What tells a node from others."""

    scan_time: Any = None
    desc: Any = None
    scan_type: Any = None
    scan_type_code: Any = None
    problem_type: Any = None


class Trace(msgspec.Struct, rename="camel"):
    """A parcel and its nodes."""

    bill_code: Any = None
    details: list[msgspec.Raw] = []


class Jt(Connector):
    """See the module."""

    name = "jt"
    kinds = frozenset({COURIER})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """The header `digest` over `bizContent` and the private key."""
        if shop.app_key and push.headers.get("apiaccount") != shop.app_key:
            raise BadSignature("apiAccount is not this account")
        require_exact(sign(push.form.get("bizContent", ""), shop.secret), push.headers.get("digest"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a detail that states something."""
        trace = peek(push.form.get("bizContent", "").encode(), Trace)
        if trace is None or not isinstance(trace.bill_code, str | int):
            return [parcels.whole(shop, push.body)]
        if len(trace.details) > MAX_FACTS:
            raise TooMany(f"{len(trace.details)} details in one push; {MAX_FACTS} are the most")
        heads = [(bytes(raw), peek(raw, Head) or Head()) for raw in trace.details]
        return [_fact(shop, trace.bill_code, data, head) for data, head in heads if not _silent(head)]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as J&T's sample does."""
        return Reply(b'{"code":"1","msg":"success","data":"SUCCESS"}')

    def decode(self, event: RawEvent) -> ParcelObservation:
        """Read one detail."""
        parcels.whose(event)
        scan = payload(SCAN, event.payload)
        code = scan.scanTypeCode or scan.scanType
        said = _said(scan)
        at, place = in_zone(scan.scanTime, _zone(scan.timeZone)), scan.scanNetworkName or scan.scanNetworkCity
        return parcels.observation(event, said, at, scan.problemType or code, scan.desc, place, scan.staffName)


def sign(content: str, key: str) -> str:
    """The header `digest` of a push."""
    return md5_base64((content + key).encode())


def _said(scan: Scan) -> Entry | Reading:
    """What a scan states. Raises Unusable."""
    table = mapping.load("jt")
    if problem := scan.problemType:
        return parcels.meaning(table, mapping.named("jt", "problem").get(problem, problem), "problem")
    for field in NUMBERS:
        if scan.scanType and (code := mapping.named("jt", field).get(scan.scanType)):
            return parcels.meaning(table, code, field)
    if code := scan.scanTypeCode:
        only = [field for field in NUMBERS if table.get(field, code)]
        return parcels.meaning(table, code, *only) if len(only) < 2 else parcels.meaning(table, code)
    if scan.scanType:
        return parcels.meaning(table, scan.scanType, *NUMBERS)
    return parcels.worded(parcels.read(scan.desc), scan.desc or "")


def _silent(head: Head) -> bool:
    name = head.scan_type if isinstance(head.scan_type, str) else ""
    code = head.scan_type_code or mapping.named("jt", "op").get(name)
    return not head.problem_type and parcels.silent(mapping.load("jt"), str(code), *NUMBERS)


def _fact(shop: Shop, number: object, data: bytes, head: Head) -> Fact:
    said = (head.scan_time, head.scan_type_code, head.scan_type, head.problem_type, head.desc)
    return parcels.node(shop, shop.name, number, data, *(said if head.scan_time else ()))


def _zone(text: str | None) -> timezone:
    found = ZONE.fullmatch(text.strip()) if text else None
    if found is None:
        return SHANGHAI
    away = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return timezone(away if found[1] == "+" else -away)
