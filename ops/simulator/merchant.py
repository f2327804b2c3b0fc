"""The demo's merchant: her `lockstep.yaml` and `rules.yaml`, with secrets that are good for nothing else."""

import json
from collections.abc import Iterable
from pathlib import Path
from string import Template
from typing import Any, Final

from connectors.config import CHANNEL, SYSTEM, Shop
from ops.simulator.standins.__main__ import entry

TOKENS: Final = {"ops": "demo-ops", "orders": "demo-orders"}
SECRETS: Final = {"demo-ops": "SECops0000", "demo-orders": "SECorders0000", "sms": "sms-demo-key"}
WECOM_KEY: Final = "demo-service"

CONFIG: Final = Template("""\
# Written by `lockstep demo`. Nothing here leaves this machine.
merchant: demo
shops:
  - {source: douyin, shop: "1001", app_key: "6800000000000000001", secret: "plain:douyin-demo", systems: [erp, wms]}
  - {source: taobao, shop: "2001", app_key: "12345678", secret: "plain:taobao-demo", systems: [erp, wms]}
  - {source: pinduoduo, shop: "3001", app_key: "pdd-demo", secret: "plain:pinduoduo-demo", systems: [erp, wms]}
  - source: wechat_shop
    shop: "4001"
    secret: "plain:unused"
    token: "plain:wechat-demo-token"
    aes_key: "plain:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
    app_id: wx0000000000000001
    systems: [erp, wms]
  - source: kuaishou
    shop: "5001"
    app_key: ks-demo
    secret: "plain:unused"
    aes_key: "plain:MDEyMzQ1Njc4OWFiY2RlZg=="
    systems: [erp, wms]
  - {source: xiaohongshu, shop: "6001", app_key: xhs-demo, secret: "plain:xiaohongshu-demo", systems: [erp, wms]}
  - {source: youzan, shop: "7001", app_key: youzan-demo, secret: "plain:youzan-demo-secret", systems: [erp, wms]}
  - source: shopee
    shop: "8001"
    app_key: "2001887"
    secret: "plain:shopee-demo"
    options: {callback_url: "https://demo.example/hooks/shopee/8001"}
    systems: [erp, wms]
  - {source: tiktok_shop, shop: "9001", app_key: tts-demo, secret: "plain:tiktok-demo", systems: [erp, wms]}
  - {source: shopify, shop: demo.myshopify.com, secret: "plain:shopify-demo", systems: [erp, wms]}
  - {source: generic, channel: web, shop: s1, secret: "plain:web-demo", systems: [erp, wms]}
$channels
systems:
  - source: jushuitan
    name: erp
    kind: erp
    shop: main
    app_key: jst-demo
    secret: "plain:jushuitan-demo"
    shops: {"91": "shopee:8001", "92": "tiktok_shop:9001", "93": "shopify:demo.myshopify.com", "94": "web:s1"}
  - {source: generic, name: wms, kind: wms, shop: w1, secret: "plain:wms-demo"}
$systems
couriers:
  - {source: kuaidi100, shop: main, secret: "plain:kuaidi100-demo"}
  - {source: zto, shop: main, secret: "plain:zto-demo"}
  - {source: sf, shop: main, secret: "plain:sf-demo-secret-in-the-address"}
  - {source: yto, shop: main, app_key: yto-demo, secret: "plain:yto-demo"}
  - {source: sto, shop: main, app_key: sto-demo, secret: "plain:sto-demo"}
  - {source: jt, shop: main, app_key: jt-demo, secret: "plain:jt-demo"}
  - {source: kdniao, shop: main, app_key: "1237100", secret: "plain:kdniao-demo"}
  - {source: cainiao, shop: main, app_key: cn-demo, secret: "plain:cainiao-demo"}
policy:
  stall: {quiet_hours: off}      # the demo is shown at any hour
rules: rules.yaml
bots:
  - name: ops
    kind: dingtalk
    base_url: "$bots"
    token: "plain:$ops_token"
    secret: "plain:$ops_secret"
    receives: [channel_paused, channel_resumed, order_jumps, unmapped_status, filter_rate, reader_stuck, audit_broken]
  - name: orders
    kind: dingtalk
    base_url: "$bots"
    token: "plain:$orders_token"
    secret: "plain:$orders_secret"
    receives: [conflict_opened]
  - name: service
    kind: wecom
    base_url: "$bots"
    token: "plain:$wecom_key"
    receives: [stall_task, stall_compensation, unsigned_watch, held_parcel, risk_review]
sms: {kind: http, base_url: "$bots/sms", secret: "plain:$sms_secret"}
""")

RULES: Final = """\
# The merchant's pool rules, in order; no rule matches: released to the branch `default`.
rules:
  - {id: big-order, when: "payable_minor >= 500000", action: hold, reason: 大额订单人工审核, tags: [大额]}
  - {id: test-order, when: "payable_minor > 0 && payable_minor < 100", action: filter, reason: 一元以下为测试单}
  - {id: south, when: "channel == 'wechat_shop'", action: release, branch: shenzhen}
"""


def _asked(shop: Shop) -> dict[str, Any]:
    """An entry for what is asked every second, from a little before now on."""
    said = entry(shop)
    said["pull"] |= {"every": "1s", "since": "10m"}
    return said


def write(folder: Path, bots: str, asked: Iterable[Shop] = ()) -> Path:
    """Write both files; returns that of the configuration.

    `bots` is the base address of the stand-in bots; `asked` are the channels and systems that push nothing, with where they are asked.
    """
    entries: dict[str, list[str]] = {CHANNEL: [], SYSTEM: []}
    for shop in asked:
        entries[shop.kind].append(f"  - {json.dumps(_asked(shop), ensure_ascii=False)}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    text = CONFIG.substitute(
        bots=bots,
        channels="\n".join(entries[CHANNEL]),
        systems="\n".join(entries[SYSTEM]),
        ops_token=TOKENS["ops"],
        ops_secret=SECRETS["demo-ops"],
        orders_token=TOKENS["orders"],
        orders_secret=SECRETS["demo-orders"],
        wecom_key=WECOM_KEY,
        sms_secret=SECRETS["sms"],
    )
    file = folder / "lockstep.yaml"
    file.write_text(text, encoding="utf-8")
    return file
