"""What people are told when a list cannot be read, and when it can be again. Facts only: the sink writes the words. Pure."""

from connectors.config import CHANNEL, Shop
from connectors.intake import Publication
from connectors.pull.errors import Row
from schemas import codec, topics
from schemas.headers import cloudevent
from schemas.polls import PollCursor
from schemas.records import Alert

US = "lockstep"


def failed(shop: Shop, cursor: PollCursor, row: Row, said: str, at: int) -> Publication:
    """A list cannot be read. One alert an episode: an episode is the cursor's place and the time of the first failure."""
    params = _params(shop, cursor) | {
        "code": cursor.failed_code or row.code,
        "detail": said,
        "remedy": row.remedy,
        "todo": row.do,
        "since": str(cursor.failing_since or at),
    }
    severity = "critical" if row.remedy in {"give_up", "refresh"} else "warning"
    return _alert(shop, _key(cursor), severity, at, params)


def back(shop: Shop, cursor: PollCursor, at: int) -> Publication:
    """It can be read again; `cursor` is that of the failure."""
    params = _params(shop, cursor) | {"state": "back", "since": str(cursor.failing_since or at)}
    if cursor.failed_code:
        params["code"] = cursor.failed_code
    return _alert(shop, f"{_key(cursor)}:back", "info", at, params)


def unreachable(shop: Shop, cursor: PollCursor, row: Row, at: int) -> Publication:
    """The platform does not list the oldest of what was not read any more."""
    params = _params(shop, cursor) | {"code": row.code, "todo": row.do, "since": str(cursor.until)}
    return _alert(shop, f"pull_failed:{cursor.key}:{cursor.until}:{row.code}", "critical", at, params)


def _key(cursor: PollCursor) -> str:
    return f"pull_failed:{cursor.key}:{cursor.failing_since}"


def _params(shop: Shop, cursor: PollCursor) -> dict[str, str]:
    return {"source": shop.name, "shop": shop.shop, "list": cursor.feed, "read_at": str(cursor.until)}


def _alert(shop: Shop, key: str, severity: str, at: int, params: dict[str, str]) -> Publication:
    channel = shop.name if shop.kind == CHANNEL else None
    alert = Alert(alert_key=key, kind="pull_failed", severity=severity, at=at, channel=channel, params=params)
    return Publication(topics.ALERT, key.encode(), codec.encode(alert), at, cloudevent("Alert", key, US, key, at))
