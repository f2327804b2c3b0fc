"""告警: what people were told, what waits, which bot is away."""

from ops.grafana.model import RED, YELLOW, Page, Panel, Prom, Sql
from ops.grafana.queries import increase, once, quantile, rate, standing

PAGE = Page(
    uid="lockstep-alerts",
    title="Lockstep 告警",
    says="Alerts by kind and what became of them, how fast they went out, which target takes none.",
    since="now-24h",
    rows=(
        (
            "发送",
            (
                Panel("等待发送", "Alerts that wait, by target.",
                      (Prom(once("lockstep_alerts_pending", "target"), "{{target}}"),), width=8, steps=((20, YELLOW), (100, RED))),
                Panel("最旧的等待", "How long the oldest due alert has waited; a line only where one waits.",
                      (Prom(f"(time() - {once('lockstep_alerts_oldest_pending_timestamp_seconds', 'target')})", "{{target}}"),),
                      unit="s", width=8, steps=((300, RED),)),
                Panel("目标状态", "1 where a target takes messages.",
                      (Prom("min by (target) (lockstep_alert_target_ok)", "{{target}}", instant=True),), "stat", width=8, colour=RED,
                      steps=((1, "green"),), names=(("0", "异常", RED), ("1", "正常", "green"))),
                Panel("送达用时", "From an alert's row to its message.",
                      (Prom(quantile(0.5, "lockstep_alert_delivery_seconds", "target"), "{{target}} p50"),
                       Prom(quantile(0.99, "lockstep_alert_delivery_seconds", "target"), "{{target}} p99")), unit="s"),
                Panel("发送结果", "Alerts by what became of the message that carried them, a second.",
                      (Prom(rate("lockstep_alerts_total", "target", "outcome"), "{{target}} {{outcome}}"),), unit="ops", stacked=True),
                Panel("目标明细", "Each target with its last error.",
                      (Sql("SELECT target AS 目标, state AS 状态, failures AS 连续失败, paused_until AS 暂停到, error AS 错误,"
                           " changed_at AS 自 FROM lockstep.v_alert_targets ORDER BY 1"),), "table"),
                Panel("消息与合并", "Messages that bots have taken: single, or a digest of several alerts.",
                      (Prom(increase("lockstep_alert_messages_total", "target", "form"), "{{target}} {{form}}", instant=True),),
                      "bargauge", decimals=0),
            ),
        ),
        (
            "内容",
            (
                Panel("告警类型", "Alerts made, by kind.",
                      (Sql("SELECT $__timeGroupAlias(created_at, '30m', 0), kind AS metric, count(*) AS value FROM lockstep.v_alert_log"
                           " WHERE $__timeFilter(created_at) GROUP BY 1, 2 ORDER BY 1", series=True),), stacked=True),
                Panel("24 小时状态", "Alerts of the last 24 h by what became of them.",
                      (Prom(f"sum by (status) ({once('lockstep_alerts_day', 'kind', 'status')})", "{{status}}", instant=True),),
                      "bargauge", decimals=0),
                Panel("24 小时总数", "Alerts of the last 24 h, all kinds.",
                      (Prom(standing("lockstep_alerts_day", "kind", "status"), instant=True),), "stat", width=4),
                Panel("新告警速率", "Alerts made a second, by kind.",
                      (Prom(rate("lockstep_alerts_made_total", "kind"), "{{kind}}"),), unit="ops", width=20),
                Panel("告警记录", "Every alert of this range, the newest first.",
                      (Sql("SELECT created_at AS 时间, severity AS 级别, kind AS 类型, title AS 标题, channel AS 渠道,"
                           " order_key AS 订单, parcel_key AS 包裹, target AS 目标, status AS 状态, attempts AS 次数,"
                           " round(wait_seconds) AS 等待秒, error AS 错误 FROM lockstep.v_alert_log"
                           " WHERE $__timeFilter(created_at) ORDER BY created_at DESC LIMIT 200"),), "table", width=24, height=12),
            ),
        ),
    ),
)  # fmt: skip
