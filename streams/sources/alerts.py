"""What people are told of a source. The sink writes the words; here are their facts. Pure."""

from collections.abc import Mapping, Sequence

from schemas.pulses import SourcePulse
from schemas.records import Alert
from streams.policy import HOUR, MINUTE, DeadLetters
from streams.sources.state import Gap, Sick, Source

SHOWN_GAPS = 20  # ranges in one text


def sick(source: Source, pulse: SourcePulse, total: int, dead: Mapping[str, int], limits: DeadLetters) -> Alert:
    """Too much of it cannot be used."""
    counts = sorted((dead or pulse.dead).items(), key=lambda item: (-item[1], item[0]))
    params = {
        "shop": pulse.shop,
        "reasons": ", ".join(f"{reason} {n}" for reason, n in counts),
        "count": str(sum(n for _, n in counts)),
        "total": str(total),
        "share": f"{sum(n for _, n in counts) / max(1, total):.0%}",
        "limit": f"{limits.ratio:.0%} / {limits.consecutive}",
        "window": _span(limits.window),
    }
    if pulse.run >= limits.consecutive:
        params["run"] = str(pulse.run)
    return _alert(source, f"dead_letters:{source.source}:{pulse.at}", "dead_letters", "critical", pulse.at, params)


def well(source: Source, was: Sick, at: int) -> Alert:
    """It can be used again."""
    params = {"state": "well", "since": str(was.since), "count": str(was.good)}
    return _alert(source, f"dead_letters:{source.source}:{was.since}:well", "dead_letters", "info", at, params)


def silent(source: Source, begin: int, read_to: int, rule: int | str) -> Alert:
    """Nothing has come for too long. `begin`: from when on that is known."""
    params = {"last_at": str(source.last_at)} if source.last_at else {}
    params |= {"quiet": _span(read_to - begin), "rule": rule if isinstance(rule, str) else _span(rule)}
    return _alert(source, f"source_silent:{source.source}:{source.last_at}", "source_silent", "warning", read_to, params)


def back(source: Source, since: int, at: int) -> Alert:
    """It has spoken again."""
    params = {"state": "back"} | ({"quiet": _span(at - since)} if since else {})
    return _alert(source, f"source_silent:{source.source}:{since}:back", "source_silent", "info", at, params)


def gap(source: Source, shop: str, gaps: Sequence[Gap], dropped: int) -> Alert:
    """Numbers of the source's own have not come."""
    missing = [str(each.first) if each.first == each.last else f"{each.first}-{each.last}" for each in gaps]
    params = {
        "shop": shop,
        "missing": ", ".join(missing[:SHOWN_GAPS]) + (" …" if len(missing) > SHOWN_GAPS else ""),
        "count": str(sum(each.last - each.first + 1 for each in gaps) + dropped),
        "since": str(min(each.at for each in gaps)),
    }
    key = f"sequence_gap:{source.source}:{shop}:{gaps[0].first}-{gaps[-1].last}"
    return _alert(source, key, "sequence_gap", "warning", max(each.at for each in gaps), params)


def _alert(source: Source, key: str, kind: str, severity: str, at: int, params: dict[str, str]) -> Alert:
    channel = source.source if source.kind == "channel" else None
    return Alert(alert_key=key, kind=kind, severity=severity, at=at, channel=channel, params={"source": source.source} | params)


def _span(ms: int) -> str:
    """For people: `2h05m`, `15m`, `40s`."""
    if ms < MINUTE:
        return f"{ms / 1000:g}s"
    hours, minutes = ms // HOUR, ms % HOUR // MINUTE
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m"
