"""A merchant's Kingdee K3 Cloud, as public code that calls its WebAPI shows it."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from aiohttp import web

from connectors.config import SYSTEM, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

GMT8: Final = timezone(timedelta(hours=8))
SERVICES: Final = "/Kingdee.BOS.WebApi.ServicesStub."
FORMS: Final = {"SAL_SaleOrder": "orders", "SAL_OUTSTOCK": "outstocks", "SAL_RETURNSTOCK": "returns"}
FILTER: Final = re.compile(r"FModifyDate>='([^']+)' and FModifyDate<='([^']+)' and FID>(\d+)")


class KingdeeStandIn(StandIn):
    """See the module. An object here has a value for each field that may be asked for."""

    name = "kingdee"
    rate_code = "14"
    token_code = "1"  # noqa: S105 - a code

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        shops = {"CUST01": "web:s1"}
        return Shop(
            SYSTEM,
            "kingdee",
            "erp",
            "k1",
            "k3-password",
            app_key="k3-user",
            app_id="acct",
            options=shops,
            pull=Pull(base_url="http://k3", token="k3-session"),  # noqa: S106 - made up
        )

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        head = {"FID": 100_001 + number, "FDocumentStatus": "C", "FCancelStatus": "A"}
        times = {"FModifyDate": _local(at), "FApproveDate": _local(at)}
        customer = {"FCustId.FNumber": "CUST01", "FCustomerID.FNumber": "CUST01", "FRetcustId.FNumber": "CUST01"}
        order = {"FBillNo": f"{feed}{number}", "FNetOrderBillNo": f"W{number}", "FThirdBillNo": f"W{number}", "FCloseStatus": "A"}
        more = {"FBillAllAmount": 129.0, "FSettleCurrId.FCode": "CNY", "FCarrierID.FName": "", "FCarriageNO": ""}
        return {**head, **times, **customer, **order, **more}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        if asked.path == SERVICES + "AuthService.ValidateUser.common.kdsvc":
            return self._login(asked.json)
        if asked.path != SERVICES + "DynamicFormService.ExecuteBillQuery.common.kdsvc":
            raise Refusal("8", "没有该服务")
        cookies = dict(part.strip().partition("=")[::2] for part in asked.headers.get("cookie", "").split(";"))
        self.need_token(cookies.get("kdservice-sessionid"))
        return self._query(json.loads(asked.json["parameters"][0]))

    def refusal(self, code: str, said: str) -> web.Response:
        """An object in the only cell of the only row."""
        status = {"ErrorCode": 500, "IsSuccess": False, "Errors": [{"FieldName": None, "Message": said, "DIndex": 0}]}
        msg = int(code) if code.isdigit() else 0
        return web.json_response([[{"Result": {"ResponseStatus": {**status, "SuccessEntitys": [], "MsgCode": msg}}}]])

    def _login(self, given: dict[str, Any]) -> Any:
        expected = {"acctID": self.shop.app_id, "username": self.shop.app_key, "password": self.shop.call_secret, "lcid": 2052}
        if given != expected:
            return {"LoginResultType": 0, "Message": "用户名或密码错误", "KDSVCSessionId": None}
        token, _ = self.rotate()
        return {"LoginResultType": 1, "Message": None, "KDSVCSessionId": token, "Context": {"UserName": self.shop.app_key}}

    def _query(self, asked: dict[str, Any]) -> list[list[Any]]:
        found = FILTER.fullmatch(asked["FilterString"])
        if asked["FormId"] not in FORMS or not found or asked["OrderString"] != "FID asc":
            raise Refusal("8", "查询参数错误")
        start, end, after = _ms(found[1]), _ms(found[2]), int(found[3])
        bills = sorted(self.between(FORMS[asked["FormId"]], start, end + 999), key=lambda bill: int(bill["FID"]))
        rows = [bill for bill in bills if bill["FID"] > after][: asked["Limit"]]
        return [[bill[key] for key in asked["FieldKeys"].split(",")] for bill in rows]


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(GMT8).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}"


def _ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8).timestamp() * 1000)


STANDIN: Final = KingdeeStandIn
