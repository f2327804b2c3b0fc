"""Dashboards as data: a page of rows of panels, each with its queries; `Page.text` is the JSON that Grafana provisions.

Queries use Grafana's own macros ($__rate_interval, $__timeFilter, …); variables are `$channel` and `$source`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

PROMETHEUS: Final = {"type": "prometheus", "uid": "lockstep-prometheus"}
POSTGRES: Final = {"type": "grafana-postgresql-datasource", "uid": "lockstep-postgres"}
SCHEMA_VERSION: Final = 42  # of Grafana 13; older ones are migrated when read
WIDTH: Final = 24
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"

LINK: Final = {"tags": [], "asDropdown": False, "keepTime": True, "icon": "external link", "includeVars": False, "targetBlank": False,
               "tooltip": ""}  # fmt: skip
LINKS: Final = LINK | {"type": "dashboards", "title": "Lockstep", "tags": ["lockstep"], "asDropdown": True}  # to all other pages

Kind = Literal["timeseries", "stat", "table", "bargauge", "piechart"]
Json = dict[str, Any]


@dataclass(frozen=True)
class Prom:
    """One PromQL expression. `instant`: its value now, for single values and tables."""

    expr: str
    legend: str = ""
    instant: bool = False

    def target(self, ref: str) -> Json:
        """The query as Grafana keeps it."""
        found: Json = {"refId": ref, "datasource": PROMETHEUS, "expr": self.expr, "legendFormat": self.legend or "__auto"}
        if self.instant:
            return found | {"instant": True, "range": False}
        return found | {"range": True, "exemplar": "_bucket" in self.expr}  # a dot leads to its trace


@dataclass(frozen=True)
class Sql:
    """One SQL query over the views of schema lockstep. `series`: its first column is `time`, the others are values by metric."""

    text: str
    series: bool = False

    def target(self, ref: str) -> Json:
        """The query as Grafana keeps it."""
        form = "time_series" if self.series else "table"
        return {"refId": ref, "datasource": POSTGRES, "rawQuery": True, "rawSql": self.text, "format": form, "editorMode": "code"}


@dataclass(frozen=True)
class Panel:
    """One panel: Chinese title, English description, queries of one data source.

    `steps`: colours from a value on, the first without one. `names`: texts for values.
    """

    title: str
    says: str
    queries: tuple[Prom | Sql, ...]
    kind: Kind = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    steps: tuple[tuple[float, str], ...] = ()
    colour: str = GREEN
    names: tuple[tuple[str, str, str], ...] = ()  # value, text, colour
    stacked: bool = False
    decimals: int | None = None
    link: str = ""
    none: str = "无数据"  # shown where a query returns nothing
    signed: bool = False  # may be below 0

    def json(self, number: int, x: int, y: int) -> Json:
        """The panel at a place of the grid."""
        datasource = POSTGRES if isinstance(self.queries[0], Sql) else PROMETHEUS
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.says,
            "datasource": datasource,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [query.target(chr(ord("A") + at)) for at, query in enumerate(self.queries)],
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": self._options(),
            **({"links": [LINK | {"type": "link", "title": "打开", "url": self.link}]} if self.link else {}),
        }

    def _defaults(self) -> Json:
        steps = [{"color": self.colour, "value": None}, *({"color": colour, "value": value} for value, colour in self.steps)]
        found: Json = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}, "noValue": self.none}
        if self.decimals is not None:
            found["decimals"] = self.decimals
        if self.kind == "timeseries":
            mode = "normal" if self.stacked else "none"
            style = {"mode": "dashed" if self.steps else "off"}
            drawn: Json = {"drawStyle": "line", "fillOpacity": 12, "lineWidth": 2, "showPoints": "never"}
            found["custom"] = drawn | {"stacking": {"mode": mode}, "thresholdsStyle": style}
            found |= {} if self.signed else {"min": 0}
        else:
            found["color"] = {"mode": "thresholds"} if self.kind != "piechart" else {"mode": "palette-classic"}
        if self.names:
            shown = {value: {"text": text, "color": colour, "index": at} for at, (value, text, colour) in enumerate(self.names)}
            found["mappings"] = [{"type": "value", "options": shown}]
        return found

    def _options(self) -> Json:
        reduced = {"calcs": ["lastNotNull"], "fields": "", "values": isinstance(self.queries[0], Sql)}
        match self.kind:
            case "timeseries":
                return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
            case "table":
                return {"showHeader": True, "cellHeight": "sm"}
            case "stat":
                return {"colorMode": "background", "graphMode": "none", "textMode": "auto", "reduceOptions": reduced}
            case "bargauge":
                return {"orientation": "horizontal", "displayMode": "basic", "reduceOptions": reduced}
            case "piechart":
                return {
                    "pieType": "donut",
                    "legend": {"displayMode": "table", "placement": "right", "values": ["value"]},
                    "reduceOptions": reduced,
                }


@dataclass(frozen=True)
class Variable:
    """A choice at the page's head, made of a query's values; all of them at first."""

    name: str
    label: str
    query: Prom | Sql

    def json(self) -> Json:
        """The variable as Grafana keeps it."""
        sql = isinstance(self.query, Sql)
        text = self.query.text if isinstance(self.query, Sql) else self.query.expr
        return {
            "name": self.name,
            "label": self.label,
            "type": "query",
            "datasource": POSTGRES if sql else PROMETHEUS,
            "query": text if sql else {"query": text, "refId": f"variable-{self.name}"},
            "refresh": 2,  # when the range of time changes
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "current": {"text": ["All"], "value": ["$__all"]},
        }


CHANNEL: Final = Variable("channel", "渠道", Sql("SELECT channel FROM lockstep.v_channels ORDER BY 1"))


@dataclass(frozen=True)
class Page:
    """A dashboard: rows of panels under headings."""

    uid: str
    title: str
    says: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
    variables: tuple[Variable, ...] = ()
    since: str = "now-6h"
    refresh: str = "30s"

    @property
    def panels(self) -> Iterator[Panel]:
        """All panels, in the order of the page."""
        for _, panels in self.rows:
            yield from panels

    def json(self) -> Json:
        """The dashboard."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.says,
            "tags": ["lockstep"],
            "timezone": "Asia/Shanghai",
            "editable": False,
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "refresh": self.refresh,
            "time": {"from": self.since, "to": "now"},
            "graphTooltip": 1,  # one cursor for all
            "templating": {"list": [each.json() for each in self.variables]},
            "links": [LINKS],
            "panels": list(self._laid_out()),
        }

    def text(self) -> str:
        """The JSON that is committed."""
        return json.dumps(self.json(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    def _laid_out(self) -> Iterator[Json]:
        number = y = 0
        for heading, panels in self.rows:
            number += 1
            yield {
                "id": number,
                "type": "row",
                "title": heading,
                "collapsed": False,
                "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
                "panels": [],
            }
            x, y, tallest = 0, y + 1, 0
            for panel in panels:
                number += 1
                if x + panel.width > WIDTH:
                    x, y, tallest = 0, y + tallest, 0
                yield panel.json(number, x, y)
                x, tallest = x + panel.width, max(tallest, panel.height)
            y += tallest
