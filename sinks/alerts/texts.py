"""Alert texts: what happened, to which order, and what to do; the alert's id at the end. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from schemas import status
from schemas.records import Alert
from sinks.alerts.phrases import CHANNELS, CUSTOMER, EN, LABELS, VALUES, ZH, Phrases

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
LONGEST_VALUE: Final = 600  # characters of one parameter; the rest is on the board
FALLBACK: Final = Phrases("{alert_kind}", "{alert_kind}", "lockstep doctor")
PHRASES: Final = {"zh": ZH, "en": EN}


class _Values(dict[str, str]):
    """Template values; one that the alert does not carry is left out of the sentence."""

    def __missing__(self, name: str) -> str:
        return ""


def title(alert: Alert, language: str = "zh") -> str:
    """One line, for digests and lists."""
    return _phrases(alert, language).title.format_map(_values(alert, language)).rstrip("：: ")


def render(alert: Alert, alert_id: str, language: str = "zh") -> str:
    """The whole text. A customer's message is short and says nothing of the inside."""
    labels = LABELS[language]
    if alert.kind == "stall_sms":
        number = (alert.parcel_key or "").partition(":")[2]
        script = alert.params.get("script") or CUSTOMER[language].format(parcel_no=number)
        return f"{script}【{labels['id']} {alert_id}】"
    phrases, values = _phrases(alert, language), _values(alert, language)
    lines = [f"【{labels.get(f'severity.{alert.severity}', alert.severity)}】{title(alert, language)}"]
    lines.append(_line(labels["what"], phrases.what.format_map(values)))
    subjects = {"channel": values["channel"], "order": alert.order_key, "parcel": alert.parcel_key}
    lines += [_line(labels[name], value) for name, value in subjects.items() if value]
    lines += [_line(labels.get(name, name), _value(name, value, language)) for name, value in alert.params.items() if value]
    lines += [_line(labels["todo"], phrases.todo.format_map(values)), _line(labels["at"], _time(alert.at))]
    return "\n".join([*lines, _line(labels["id"], alert_id)])


def _phrases(alert: Alert, language: str) -> Phrases:
    """Of the kind, or of what has become of it, such as `source_silent.back`."""
    known = PHRASES[language]
    return known.get(f"{alert.kind}.{alert.params.get('state')}") or known.get(alert.kind, FALLBACK)


def _values(alert: Alert, language: str) -> Mapping[str, str]:
    params = {name: _value(name, value, language) for name, value in alert.params.items()}
    name = alert.channel or alert.params.get("channel", "")
    return _Values(
        {
            **params, "alert_kind": alert.kind, "channel_name": name, "channel": _channel(name, language),
            "order": alert.order_key or "", "parcel": alert.parcel_key or "",
        }
    )  # fmt: skip


def _channel(name: str, language: str) -> str:
    known = CHANNELS.get(name) if language == "zh" else None
    return f"{known}（{name}）" if known else name


def _line(label: str, value: str | None) -> str:
    return f"{label}：{value or ''}"


def _value(name: str, value: str, language: str) -> str:
    """A parameter for people: times in Shanghai's clock, known words in Chinese, never longer than a few lines."""
    if name.endswith("_at") or name in {"since", "mark"}:
        return _time(int(value)) if value.isdecimal() and len(value) >= 12 else value
    if language == "zh":
        value = VALUES.get(value, status.LABELS.get(value, value))
    return value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "…"


def _time(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(ms)
