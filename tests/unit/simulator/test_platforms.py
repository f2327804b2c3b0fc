"""The platforms' side signs as the public vectors say."""

import base64
import json
from urllib.parse import parse_qs

from ops.simulator.facts import Account
from ops.simulator.platforms import douyin, generic, kuaidi100, wechat_shop, zto

DOUYIN_BODY = (
    b'[{"tag":"101","msg_id":"6841218720112000000101","data":"{\\"p_id\\":4781321000000000001,'
    b'\\"s_ids\\":[4781321000000000001],\\"shop_id\\":900001,\\"order_status\\":2,\\"pay_time\\":1700000000}"}]'
)
KUAIDI100_PARAM = (
    '{"status":"polling","billstatus":"got","message":"","autoCheck":"0","comOld":"","comNew":"","lastResult":{"message":"ok",'
    '"state":"0","status":"200","condition":"F00","ischeck":"0","com":"yuantong","nu":"V030344422","data":[{"context":"上海分拨中心",'
    '"time":"2012-08-28 16:33:19","ftime":"2012-08-28 16:33:19"}]}}'
)


def test_douyin_signs_as_its_sdk() -> None:
    """`event-sign` equals the value that a public SDK accepts."""
    account = Account("douyin", "900001", "a1b2c3d4-test-secret", app_key="6800000000000000001")
    request = douyin.seal(account, DOUYIN_BODY, 0)
    assert request.headers["event-sign"] == "10a0c43e92fb134885dccea4cde006eb"
    assert request.body == DOUYIN_BODY


def test_kuaidi100_signs_the_raw_param() -> None:
    """`sign` is MD5 over the text of `param` and the salt, and `param` arrives as it was signed."""
    request = kuaidi100.seal(Account("kuaidi100", "main", "abc123"), KUAIDI100_PARAM.encode(), 0)
    form = parse_qs(request.body.decode())
    assert form["sign"] == ["38611A91D33EECEB203D9D057D843797"]
    assert form["param"] == [KUAIDI100_PARAM]


def test_zto_signs_its_data() -> None:
    """`data_digest` is base64 of MD5 over data and secret."""
    request = zto.seal(Account("zto", "main", "secretKey1"), b'{"billCode":"73100000000000","action":"GOT"}', 0)
    assert parse_qs(request.body.decode())["data_digest"] == ["Gg8UBSNNPt6yZ69nSSg22A=="]


def test_wechat_shop_signs_and_encrypts() -> None:
    """`msg_signature` covers the ciphertext, whose plaintext ends with the app id."""
    account = Account("wechat_shop", "1", "", token="shopToken", aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", app_id="wx1")
    request = wechat_shop.seal(account, b'{"Event":"x"}', 1_700_000_000)
    sealed = json.loads(request.body)["Encrypt"]
    signed = sorted(["shopToken", "1700000000", request.params["nonce"], sealed])
    assert request.params["msg_signature"] == wechat_shop._sha1(*signed)
    assert len(base64.b64decode(sealed)) % 16 == 0


def test_wechat_shop_makes_the_signature_of_the_documentation() -> None:
    """The sorted parts are joined and hashed as in the published example."""
    assert wechat_shop._sha1("AAAAA", "1714036504", "1514711492") == "f464b24fc39322e44b38aa78f5edd27bd1441696"


def test_generic_signs_time_and_body() -> None:
    """The header names the time that is signed."""
    request = generic.seal(Account("generic", "w1", "k2"), b"{}", 1_700_000_000)
    assert request.headers["X-Lockstep-Signature"].startswith("t=1700000000,v1=")
    assert request.path == "/hooks/generic/w1"
