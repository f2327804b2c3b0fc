"""Records in runs of fields: those that take few values are written and read once, and then copied.

Avro writes a record as its fields one after the other, so the bytes of neighbouring fields can be made apart. Statuses,
sources and channels repeat from record to record; the library's writer takes 0.3 to 0.7 µs for each of them, a look
into a dict 0.5 µs for all. `schemas.records` keeps such fields together.
"""

import copy
import io
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, TypeVar, cast

import fastavro
import msgspec

from schemas import records as r


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


FEW: Final[dict[type, frozenset[str]]] = {
    r.Observation: _names(
        "source source_kind channel shop_id axis status raw_code clock trigger aftersale_kind partial_refund currency payment_method"
        " province derived"
    ),
    r.OrderState: _names(
        "status aftersale_status currency payment_method province paid ended jump_count open_conflicts pool released gate rule_id"
    ),
    r.AuditRecord: _names("source axis trigger from_status to_status disposition derived clock"),
    r.ParcelObservation: _names("kind source courier status code place reason clock"),
    r.ParcelState: _names("status watching episode tier observations duplicates"),
    r.PoolRecord: _names("channel action gate rule_id branch account currency"),
}
"""Fields that repeat. A field that takes many values after all costs a miss for each, and never more memory."""
MOST: Final = 32_768  # runs that are kept, of a few dozen bytes each; all are dropped when there are more
ONE: Final = b"\x01"  # the count of a block that has one item and says its size: -1
Writer = Any  # a parsed Avro schema
T = TypeVar("T")


def _is_list(field: Any) -> bool:
    return isinstance(field["type"], dict) and field["type"]["type"] == "array"


def _long(number: int) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, "long", number)
    return out.getvalue()


def _remember(known: dict[Any, T], key: Any, value: T) -> T:
    """Keep what was worked out, within MOST entries."""
    if len(known) >= MOST:
        known.clear()
    known[key] = value
    return value


def _part(fields: list[Any]) -> Writer:
    return fastavro.parse_schema({"type": "record", "name": "Part", "fields": copy.deepcopy(fields)}, named_schemas={})


class _Various:
    """Neighbouring fields that differ from record to record."""

    def __init__(self, fields: list[Any]) -> None:
        self._names, self._schema = [field["name"] for field in fields], _part(fields)
        self._values = attrgetter(*self._names, self._names[0])  # always a tuple, also of one field
        self._lists = [field["name"] for field in fields if _is_list(field)]

    def write(self, out: io.BytesIO, record: msgspec.Struct) -> None:
        """Append the fields' bytes."""
        datum = dict(zip(self._names, self._values(record), strict=False))
        for name in self._lists:
            if datum[name]:
                datum[name] = msgspec.to_builtins(datum[name])
        fastavro.schemaless_writer(out, self._schema, datum)


class _Few:
    """Neighbouring fields whose values repeat."""

    def __init__(self, fields: list[Any]) -> None:
        self._names, self._schema = [field["name"] for field in fields], _part(fields)
        self._values = attrgetter(*self._names, self._names[0])
        self._known: dict[Any, bytes] = {}

    def write(self, out: io.BytesIO, record: msgspec.Struct) -> None:
        """Append the fields' bytes."""
        values = self._values(record)
        raw = self._known.get(values)
        if raw is None:
            part = io.BytesIO()
            fastavro.schemaless_writer(part, self._schema, dict(zip(self._names, values, strict=False)))
            raw = _remember(self._known, values, part.getvalue())
        out.write(raw)


class _Whole:
    """A list of records that come again as they are: what each source says of an order, when one of them has spoken."""

    def __init__(self, field: Any) -> None:
        self._name, self._item = field["name"], fastavro.parse_schema(copy.deepcopy(field["type"]["items"]), named_schemas={})
        self._known: dict[msgspec.Struct, bytes] = {}

    def write(self, out: io.BytesIO, record: msgspec.Struct) -> None:
        """Append the array: blocks of one item each, with their sizes, and a zero."""
        for item in getattr(record, self._name):
            raw = self._known.get(item)
            if raw is None:
                part = io.BytesIO()
                fastavro.schemaless_writer(part, self._item, msgspec.structs.asdict(item))
                raw = _remember(self._known, item, ONE + _long(part.tell()) + part.getvalue())
            out.write(raw)
        out.write(b"\x00")


Run = _Few | _Various | _Whole


def _groups(kind: type, fields: list[Any]) -> list[tuple[str, list[Any]]]:
    few = FEW.get(kind, frozenset())

    def sort(field: Any) -> str:
        if field["name"] == "sources":
            return "whole"
        return "few" if field["name"] in few else "various"

    return [(name, list(group)) for name, group in groupby(fields, key=sort)]


def runs(kind: type, fields: list[Any]) -> Iterable[Run]:
    """The runs of a record's fields, in their order."""
    for sort, group in _groups(kind, fields):
        if sort == "whole":
            yield from map(_Whole, group)
        else:
            yield (_Few if sort == "few" else _Various)(group)


class _Blocks:
    """Reads what `_Whole` has written: an item that was seen before is not read again. Others' blocks it leaves alone."""

    def __init__(self, field: Any, item: type[msgspec.Struct]) -> None:
        self.name, self._kind = field["name"], item
        self._schema = fastavro.parse_schema(copy.deepcopy(field["type"]["items"]), named_schemas={})
        self._known: dict[bytes, msgspec.Struct] = {}

    def read(self, data: bytes, at: int) -> tuple[list[msgspec.Struct], int] | None:
        """The items and where they end; None for blocks of another shape."""
        items = []
        while (head := data[at]) == 1:
            size, begin = data[at + 1], at + 2
            if size & 0x81:  # not one byte, or negative
                if size & 1 or (more := data[at + 2]) & 0x80:
                    return None
                size, begin = size & 0x7F | more << 7, at + 3
            at = begin + (size >> 1)
            raw = data[begin:at]
            items.append(self._known.get(raw) or self._read(raw))
        return (items, at + 1) if head == 0 else None

    def _read(self, raw: bytes) -> msgspec.Struct:
        value = cast(dict[str, Any], fastavro.schemaless_reader(io.BytesIO(raw), self._schema, None))
        return _remember(self._known, raw, self._kind(**value))


class Reader:
    """Reads records of one kind whose newest version wrote them: runs of few values have mostly been seen."""

    def __init__(self, kind: type, fields: list[Any]) -> None:
        self._kind, self._whole = kind, _part(fields)
        groups = dict(_groups(kind, fields))
        self._plain = list(groups) not in (["various", "few"], ["various", "whole", "few"])
        if not self._plain:
            self._first, self._last = _part(groups["various"]), _part(groups["few"])
        self._blocks = _Blocks(groups["whole"][0], r.SourceState) if "whole" in groups else None
        self._nested = [field["name"] for field in fields if _is_list(field) and isinstance(field["type"]["items"], dict)]
        self._known: dict[bytes, dict[str, Any]] = {}

    def read(self, data: bytes, start: int) -> Any:
        """The record. Raises what the library raises for broken bytes."""
        body = io.BytesIO(data)
        body.seek(start)
        if self._plain:
            return self._made(cast(dict[str, Any], fastavro.schemaless_reader(body, self._whole, None)))
        value = cast(dict[str, Any], fastavro.schemaless_reader(body, self._first, None))
        if self._blocks:
            found = self._blocks.read(data, body.tell())
            if found is None:
                body.seek(start)
                return self._made(cast(dict[str, Any], fastavro.schemaless_reader(body, self._whole, None)))
            value[self._blocks.name] = found[0]
            body.seek(found[1])
        rest = data[body.tell() :]
        few = self._known.get(rest)
        if few is None:
            few = _remember(self._known, rest, cast(dict[str, Any], fastavro.schemaless_reader(body, self._last, None)))
        value.update(few)
        return self._made(value)

    def _made(self, value: dict[str, Any]) -> Any:
        for name in self._nested:
            if value[name] and isinstance(value[name][0], dict):
                return msgspec.convert(value, self._kind)
        return self._kind(**value)
