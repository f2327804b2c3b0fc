"""Every public signature vector of the sources that we have: the formula as the vendor, an SDK or its documents state it."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors import douyin, jushuitan, kuaidi100, pinduoduo, taobao, wechat_shop, zto
from connectors.signing import hmac_sha256, joined, md5
from tests.contract.connectors import platforms

VECTORS = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text(encoding="utf-8"))


def _douyin_push(given: dict[str, Any]) -> str:
    method = "hmac-sha256" if "hmac" in given["header_sign_method"] else "md5"
    return douyin.sign(given["app_key"], given["app_secret"], given["raw_body"].encode(), method)


def _douyin_api(given: dict[str, Any]) -> str:
    names = ("app_key", "method", "param_json", "timestamp", "v")
    wrapped = given["app_secret"] + joined({name: given[name] for name in names}) + given["app_secret"]
    assert wrapped == given["string_to_sign"]
    return hmac_sha256(given["app_secret"], wrapped.encode())


def _wechat(given: dict[str, Any]) -> str:
    names = ("token", "timestamp", "nonce", "TimeStamp", "Nonce", "Encrypt")
    return wechat_shop.sign(*[given[name] for name in names if name in given])


def _decrypt(given: dict[str, Any]) -> str:
    return wechat_shop.decrypt(given["EncodingAESKey"], given["Encrypt"], given["appid"]).decode()


def _encrypt(given: dict[str, Any]) -> str:
    return wechat_shop.encrypt(given["EncodingAESKey"], given["msg"].encode(), given["appid"], given["random16"].encode())


def _shop_push(given: dict[str, Any]) -> str:
    assert _encrypt(given) == given["Encrypt"]
    assert _decrypt(given) == given["msg"]
    return _wechat(given)


def _pmc_token(given: dict[str, Any]) -> str:
    digest = md5((given["client_id"] + given["timestamp_ms"] + given["client_secret"]).encode())
    return base64.b64encode(digest.encode()).decode()


HOW: dict[str, Callable[[dict[str, Any]], object]] = {
    "taobao.top_api_md5_published": lambda given: taobao.sign(given["secret"], given["params"]),
    "taobao.top_api_hmac_md5": lambda given: taobao.sign(given["secret"], given["params"]),
    "taobao.top_api_hmac_sha256": lambda given: taobao.sign(given["secret"], given["params"]),
    "taobao.tmc_connect_handshake": lambda given: taobao.sign(given["secret"], given["params"]),
    "pinduoduo.pop_api_md5_published": lambda given: pinduoduo.sign(given["client_secret"], given["params"]),
    "pinduoduo.pmc_ws_url_token": _pmc_token,
    "douyin.push_event_sign_md5": _douyin_push,
    "douyin.push_event_sign_hmac_sha256": _douyin_push,
    "douyin.open_api_hmac_sha256": _douyin_api,
    "douyin.open_api_md5": lambda given: md5(given["string_to_sign"].encode()),
    "wechat.get_verify_signature_published": _wechat,
    "wechat.post_plaintext_signature_published": _wechat,
    "wechat.post_secure_msg_signature_published": _wechat,
    "wechat.post_secure_signature_param_published": _wechat,
    "wechat.post_secure_decrypt_published": _decrypt,
    "wechat.reply_encrypt_published": _encrypt,
    "wechat.reply_msg_signature_published": _wechat,
    "wechat.wxjava_encrypt_test_vector": _encrypt,
    "wechat.wxjava_sha1_test_vector": lambda given: wechat_shop.sign(*given["args"]),
    "wechat.shop_order_pay_push_composed": _shop_push,
    "jushuitan.open_api_md5": lambda given: jushuitan.sign(given["app_secret"], given["params"]),
    "kuaidi100-push-salt[abc123]": lambda given: kuaidi100.sign(given["param"], given["salt"]),
    "kuaidi100-push-salt[]": lambda given: kuaidi100.sign(given["param"], given["salt"]),
    "kuaidi100-query": lambda given: md5((given["param"] + given["key"] + given["customer"]).encode()).upper(),
    "zto-data_digest": lambda given: zto.sign(given["data"], given["appSecret"]),
    **platforms.VECTORS,
}


def test_none_is_left_out() -> None:
    """Each vector of our sources is checked."""
    assert {vector["name"] for vector in VECTORS} == set(HOW)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_vector(vector: dict[str, Any]) -> None:
    """Our code gives the vector's value."""
    assert HOW[vector["name"]](vector["inputs"]) == vector["expected"]
