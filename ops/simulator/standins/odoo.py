"""A merchant's Odoo, as its own sources show JSON-RPC and web_search_read."""

from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from connectors.config import SYSTEM, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

DENIED: Final = "odoo.exceptions.AccessDenied"


class OdooStandIn(StandIn):
    """See the module. A user's number takes the place of a token: another one is not let in."""

    name = "odoo"
    rate_code = "http_429"
    token_code = DENIED

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(base_url="http://odoo", token="70000123")  # noqa: S106 - made up
        return Shop(SYSTEM, "odoo", "erp", "o1", "odoo-key", app_key="bot", app_id="db", options={"5": "web:s1"}, pull=pull)

    def rotate(self) -> tuple[str, str]:
        """Another user."""
        token, refresh = super().rotate()
        self.token = token.replace("access-", "70")
        return self.token, refresh

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        order = {"client_order_ref": f"W{number}", "team_id": {"id": 5}, "state": "sale", "delivery_status": False}
        if feed == "orders":
            money = {"amount_total": 129.0, "currency_id": {"id": 6, "name": "CNY"}}
            return {"id": 1 + number, "name": f"S{number}", **order, **money, "write_date": _utc(at)}
        code = "outgoing" if feed == "deliveries" else "incoming"
        sale = {"sale_id": {"id": 1 + number, **order}, "carrier_id": False, "carrier_tracking_ref": False}
        times = {"date_done": _utc(at), "write_date": _utc(at), "picking_type_code": code}
        return {"id": 1 + number, "name": f"WH/{code}/{number}", "state": "done", **sale, **times}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        request = asked.json
        if asked.path != "/jsonrpc" or request.get("jsonrpc") != "2.0":
            raise Refusal("builtins.ValueError", "no JSON-RPC")
        params = request["params"]
        if (params["service"], params["method"]) == ("common", "authenticate"):
            return _result(self._authenticate(*params["args"]))
        if (params["service"], params["method"]) != ("object", "execute_kw"):
            raise Refusal("builtins.AttributeError", "no such method")
        return _result(self._read(*params["args"]))

    def refusal(self, code: str, said: str) -> web.Response:
        """An error of JSON-RPC, whose HTTP status is 200."""
        if code.startswith("http_"):
            return web.Response(status=int(code.removeprefix("http_")))
        trouble = {"name": code, "message": said, "arguments": [said], "debug": "Traceback …"}
        return web.json_response({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo Server Error", "data": trouble}})

    def _authenticate(self, database: str, login: str, key: str, _environment: dict[str, Any]) -> int | bool:
        if (database, login, key) != (self.shop.app_id, self.shop.app_key, self.shop.call_secret):
            return False
        return int(self.rotate()[0])

    def _read(self, database: str, uid: int, key: str, model: str, method: str, args: list[Any], options: dict[str, Any]) -> Any:
        if (database, key) != (self.shop.app_id, self.shop.call_secret):
            raise Refusal(DENIED, "Access Denied")
        self.need_token(str(uid))
        if method != "web_search_read" or options.get("order") != "id":
            raise Refusal("builtins.AttributeError", f"{model} has no {method}")
        which = {(field, operator): value for field, operator, value in args[0]}
        feed = {"outgoing": "deliveries", "incoming": "returns"}.get(which.get(("picking_type_code", "="), ""), "orders")
        if (model == "sale.order") != (feed == "orders"):
            raise Refusal("builtins.KeyError", model)
        start, end = _ms(which["write_date", ">="]), _ms(which["write_date", "<="])
        found = sorted(self.between(feed, start, end + 999), key=lambda record: int(record["id"]))
        rows = [record for record in found if record["id"] > which["id", ">"]]
        kept = [{"id": row["id"], **{name: row[name] for name in args[1] if name in row}} for row in rows[: options["limit"]]]
        return {"length": len(rows), "records": kept}


def _result(value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": value}


def _utc(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp() * 1000)


STANDIN: Final = OdooStandIn
