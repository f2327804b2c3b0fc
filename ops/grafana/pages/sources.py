# ruff: noqa: E501 - panels, a query a line
"""数据源: who speaks, who is silent, what could not be read; both accounts."""

from ops.grafana.model import GREEN, RED, YELLOW, Page, Panel, Prom, Sql, Variable
from ops.grafana.queries import once, quantile, rate

_HERE = 'source=~"$source"'

PAGE = Page(
    uid="lockstep-sources",
    title="Lockstep 数据源",
    says="Sources: pushes and polls, silence, dead letters by reason, and the account of every fact.",
    variables=(Variable("source", "数据源", Prom("label_values(lockstep_source_heard_timestamp_seconds, source)")),),
    since="now-24h",
    refresh="1m",
    rows=(
        (
            "谁在说话",
            (
                Panel("距上次消息", "Since each source last spoke.",
                      (Prom(f"time() - {once('lockstep_source_heard_timestamp_seconds', 'source', where=_HERE)}", "{{source}}", instant=True),),
                      "bargauge", unit="s", width=8, steps=((3600, YELLOW), (21600, RED))),
                Panel("沉默的数据源", "Sources that are said to be silent, by their own rhythm or the configured limit.",
                      (Prom(once("lockstep_source_silent", "source", where=_HERE), "{{source}}"),), width=8, steps=((1, RED),)),
                Panel("最近消息", "Who has spoken of orders, and when last.",
                      (Sql("SELECT source AS 数据源, source_kind AS 类别, orders AS 订单, newest AS 最近, duplicates AS 重复"
                           " FROM lockstep.v_sources ORDER BY newest DESC NULLS LAST"),), "table", width=8),
                Panel("推送的事实", "Facts that Kafka has acknowledged, a second, by connector.",
                      (Prom(rate("lockstep_connect_facts_total", "source"), "{{source}}"),), unit="ops", width=8),
                Panel("被拒的推送", "Pushes that were not taken, by connector and reason.",
                      (Prom(rate("lockstep_connect_pushes_total", "source", "result", where='result!~"accepted|empty|checked"'),
                            "{{source}} {{result}}"),), unit="reqps", width=8, steps=((0.1, YELLOW),)),
                Panel("应答推送 p99", "From a push to its answer.",
                      (Prom(quantile(0.99, "lockstep_connect_push_seconds", "source"), "{{source}}"),), unit="s", width=8),
            ),
        ),
        (
            "主动拉取",
            (
                Panel("拉取的事实", "Facts read by polling, a second.",
                      (Prom(rate("lockstep_pull_facts_total", "source", "feed"), "{{source}} {{feed}}"),), unit="ops", width=8),
                Panel("游标落后", "How far the furthest-behind cursor of a feed is behind.",
                      (Prom("max by (source, feed) (lockstep_pull_behind_seconds)", "{{source}} {{feed}}"),), unit="s", width=8,
                      steps=((900, YELLOW), (3600, RED))),
                Panel("拉取失败", "Calls in vain, by what is done then; feeds that fail now.",
                      (Prom(rate("lockstep_pull_errors_total", "source", "remedy"), "{{source}} {{remedy}}"),
                       Prom("sum by (source) (lockstep_pull_failing)", "{{source}} 失败中")), width=8),
            ),
        ),
        (
            "死信",
            (
                Panel("死信速率", "Dead letters a second, by source and reason.",
                      (Prom(rate("lockstep_dead_letters_total", "source", "reason", where=_HERE), "{{source}} {{reason}}"),), unit="ops",
                      width=8, stacked=True),
                Panel("未重放的死信", "Dead letters that were never replayed.",
                      (Prom(once("lockstep_dead_letters_stored", "source", "reason", where=_HERE), "{{source}} {{reason}}", instant=True),),
                      "bargauge", width=8, steps=((1, YELLOW), (100, RED))),
                Panel("死信汇总", "All dead letters by source and reason.",
                      (Sql("SELECT source AS 数据源, reason AS 原因, stage AS 阶段, n AS 数量, newest AS 最近 FROM lockstep.v_dead"
                           " ORDER BY n DESC"),), "table", width=8),
                Panel("最新死信", "The newest dead letters, without their payloads: `lockstep dead show ID` has them.",
                      (Sql("SELECT received_at AS 时间, source AS 数据源, reason AS 原因, connector AS 接口, shop AS 店铺,"
                           " event_id AS 事件, detail AS 说明 FROM lockstep.v_dead_arrivals WHERE $__timeFilter(received_at)"
                           " ORDER BY received_at DESC LIMIT 100"),), "table", width=24),
            ),
        ),
        (
            "对账",
            (
                Panel("事实对账差额", "Raw events that are nowhere, at the last moment of rest. Must be 0.",
                      (Prom(once("lockstep_accounting_facts_difference", "source", where=_HERE), "{{source}}"),), width=8, signed=True, colour=RED, steps=((-0.5, GREEN), (0.5, RED))),
                Panel("距上次对账", "Since the accounts were taken, and since the last moment of rest.",
                      (Prom("time() - max(lockstep_accounting_timestamp_seconds)", "对账"),
                       Prom("time() - max(lockstep_accounting_rest_timestamp_seconds)", "静止时刻")), unit="s", width=8),
                Panel("事实去向", "Per source: raw = observations + duplicates + dead + not yet read.",
                      (Sql("SELECT source AS 数据源, raw AS 原始, observations AS 观察, duplicates AS 重复, dead AS 死信,"
                           " raw - observations - duplicates - dead AS 未读 FROM lockstep.v_facts ORDER BY raw DESC"),), "table", width=8),
            ),
        ),
    ),
)  # fmt: skip
