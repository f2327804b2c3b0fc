# ruff: noqa: E501 - panels, a query a line
"""流水线健康: rate, errors, durations and lag of each stage."""

from ops.grafana.model import RED, YELLOW, Page, Panel, Prom, Sql
from ops.grafana.queries import increase, quantile, rate

_PLACE = "{{task}} {{partition}}"

PAGE = Page(
    uid="lockstep-pipeline",
    title="Lockstep 流水线健康",
    says="Golden signals of each stage from the push to the row: rate, errors, durations, lag; and what the processes use.",
    since="now-1h",
    refresh="10s",
    rows=(
        (
            "积压与提交",
            (
                Panel("未处理的记录", "Lag in records, by task.",
                      (Prom("sum by (task) (lockstep_engine_lag_records)", "{{task}}"),), width=8),
                Panel("最旧的未处理", "Age of the oldest record not yet worked on, by task.",
                      (Prom("max by (task) (lockstep_engine_lag_seconds)", "{{task}}"),), unit="s", width=8, steps=((60, YELLOW), (300, RED))),
                Panel("距上次提交", "Since the commit last moved while there was lag.",
                      (Prom("max by (task) (lockstep_engine_commit_age_seconds)", "{{task}}"),), unit="s", width=8, steps=((60, RED),)),
                Panel("等待的分区", "Partitions that wait for people (poison) or for a sink's database.",
                      (Prom("max by (task, partition) (lockstep_engine_waiting)", _PLACE),), width=8, steps=((1, RED),)),
                Panel("重新打开的分区", "Partitions opened anew, by cause.",
                      (Prom(rate("lockstep_engine_reopenings_total", "task", "cause"), "{{task}} {{cause}}"),), unit="ops", width=8, none="没有重开"),
                Panel("打开用时", "What the last opening of a partition took: restoring its state.",
                      (Prom("max by (task) (lockstep_engine_restore_seconds)", "{{task}}"),), unit="s", width=8),
            ),
        ),
        (
            "速率与错误",
            (
                Panel("处理的记录", "Records worked on a second, by task.",
                      (Prom(rate("lockstep_engine_records_total", "task"), "{{task}}"),), unit="ops", width=8),
                Panel("写出的记录", "Records written a second, by task.",
                      (Prom(rate("lockstep_engine_outputs_total", "task"), "{{task}}"),), unit="ops", width=8),
                Panel("失败", "Buried records, failed ticks, unreadable and lost records in this range. Must be 0.",
                      (Prom(increase("lockstep_engine_buried_total", "task"), "{{task}} 埋葬", instant=True),
                       Prom(increase("lockstep_engine_failed_ticks_total", "task"), "{{task}} 定时失败", instant=True),
                       Prom(increase("lockstep_engine_lost_records_total", "task"), "{{task}} 丢失", instant=True),
                       Prom(increase("lockstep_sink_unreadable_total", "topic"), "{{topic}} 不可读", instant=True)),
                      "bargauge", width=8, decimals=0, steps=((1, RED),), none="没有失败"),
                Panel("写入推迟", "Writes put off: Postgres was away, or refused.",
                      (Prom(rate("lockstep_sink_retries_total", "task", "why"), "{{task}} {{why}}"),), unit="ops", width=8, steps=((0.01, RED),), none="没有推迟"),
                Panel("写入的行", "Rows handed to Postgres a second, by table.",
                      (Prom(rate("lockstep_sink_rows_total", "table"), "{{table}}"),), unit="ops", width=8),
                Panel("推送结果", "Pushes a second by how they were answered.",
                      (Prom(rate("lockstep_connect_pushes_total", "result"), "{{result}}"),), unit="reqps", width=8, stacked=True),
            ),
        ),
        (
            "用时 (p99)",
            (
                Panel("应答推送", "From a push to its answer, by source.",
                      (Prom(quantile(0.99, "lockstep_connect_push_seconds", "source"), "{{source}}"),), unit="s", width=8, steps=((0.5, YELLOW),)),
                Panel("折叠一批", "Folding one batch, by task.",
                      (Prom(quantile(0.99, "lockstep_engine_fold_seconds", "task"), "{{task}}"),), unit="s", width=8),
                Panel("折叠到落盘", "From folded to durable, one step, by task.",
                      (Prom(quantile(0.99, "lockstep_engine_settle_seconds", "task"), "{{task}}"),), unit="s", width=8),
                Panel("一次事务", "One Postgres transaction, commit included.",
                      (Prom(quantile(0.5, "lockstep_sink_transaction_seconds"), "p50"),
                       Prom(quantile(0.99, "lockstep_sink_transaction_seconds"), "p99")), unit="s", width=8),
                Panel("接收到入库", "From a fact's receipt to its row, by table.",
                      (Prom(quantile(0.99, "lockstep_sink_latency_seconds", "table"), "{{table}}"),), unit="s", width=8, steps=((3, RED),)),
                Panel("看板应答", "From a request to the board's answer, by route.",
                      (Prom(quantile(0.99, "lockstep_board_request_seconds", "route"), "{{route}}"),), unit="s", width=8),
            ),
        ),
        (
            "资源",
            (
                Panel("内存", "Resident memory by process.",
                      (Prom('sum by (job, instance) (process_resident_memory_bytes{job=~"lockstep-.+"})', "{{job}} {{instance}}"),), unit="bytes", width=8),
                Panel("CPU", "Cores used by process.",
                      (Prom('sum by (job, instance) (rate(process_cpu_seconds_total{job=~"lockstep-.+"}[$__rate_interval]))',
                            "{{job}} {{instance}}"),), width=8),
                Panel("状态大小", "Keys with a state, by task.",
                      (Prom("sum by (task) (lockstep_engine_state_keys)", "{{task}}"),), width=8),
                Panel("状态字节", "Keys and encoded states, estimated, by task.",
                      (Prom("sum by (task) (lockstep_engine_state_bytes)", "{{task}}"),), unit="bytes", width=8),
                Panel("队列", "Fetched batches that wait and steps being written, by task.",
                      (Prom("sum by (task) (lockstep_engine_inbox_batches)", "{{task}} 批"),
                       Prom("sum by (task) (lockstep_engine_depth_steps)", "{{task}} 步")), width=8),
                Panel("审计日", "Closed audit days: records, chains, and broken ones, which must be 0.",
                      (Sql("SELECT day::text AS 日, closed_at AS 关闭, records AS 记录, chains AS 链, broken AS 损坏, root AS 根"
                           " FROM lockstep.v_audit_roots ORDER BY day DESC LIMIT 14"),), "table", width=8),
            ),
        ),
        (
            "版本",
            (
                Panel("运行的版本", "Releases that run, by role.",
                      (Prom("count by (role, version) (lockstep_build_info)", "{{role}} {{version}}", instant=True),), "stat", width=24, height=4),
            ),
        ),
    ),
)  # fmt: skip
