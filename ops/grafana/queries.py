"""PromQL that many panels share."""

from typing import Final

INTERVAL: Final = "$__rate_interval"
# 0 while the database's figures can be read, nothing while they cannot: a panel says 无数据 then, never a false 0
KNOWN_ZERO: Final = "(max(lockstep_database_up) == 1) * 0"


def rate(counter: str, *by: str, where: str = "") -> str:
    """So many a second, by labels."""
    return f"sum{_by(by)}(rate({counter}{_where(where)}[{INTERVAL}]))"


def increase(counter: str, *by: str, where: str = "", over: str = "$__range") -> str:
    """How many in a stretch of time, by labels."""
    return f"sum{_by(by)}(increase({counter}{_where(where)}[{over}]))"


def quantile(q: float, histogram: str, *by: str, where: str = "") -> str:
    """A quantile of a histogram of all workers, by labels."""
    return f"histogram_quantile({q}, {rate(f'{histogram}_bucket', 'le', *by, where=where)})"


def once(gauge: str, *by: str, where: str = "") -> str:
    """A value that several processes show alike."""
    return f"max{_by(by)}({gauge}{_where(where)})"


def standing(gauge: str, *by: str, where: str = "") -> str:
    """The sum of what stands in the database, 0 where there is none of it, nothing where nobody can tell."""
    return f"sum({once(gauge, *by, where=where)}) or {KNOWN_ZERO}"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""


def _where(selector: str) -> str:
    return f"{{{selector}}}" if selector else ""
