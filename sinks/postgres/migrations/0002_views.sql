-- Views for dashboards and the command line. Days are Shanghai's.

CREATE VIEW lockstep.v_facts AS
WITH raw AS (SELECT source, sum(n)::bigint AS n FROM lockstep.raw_counts GROUP BY source),
observed AS (
    SELECT source, count(*) AS n FROM (
        SELECT source FROM lockstep.audit WHERE NOT derived
        UNION ALL
        SELECT source FROM lockstep.parcel_events WHERE kind = 'node'
    ) facts GROUP BY source
),
doubled AS (
    SELECT source, sum(n)::bigint AS n FROM (
        SELECT source, duplicates AS n FROM lockstep.order_sources
        UNION ALL
        SELECT courier, duplicates FROM lockstep.parcels
    ) counters GROUP BY source
),
dead AS (
    SELECT source, sum(n)::bigint AS n, jsonb_object_agg(reason, n) AS reasons FROM (
        SELECT source, reason, count(*) AS n FROM lockstep.dead_letters WHERE kind <> 'internal' GROUP BY source, reason
    ) letters GROUP BY source
)
SELECT source, coalesce(raw.n, 0) AS raw, coalesce(observed.n, 0) AS observations, coalesce(doubled.n, 0) AS duplicates,
       coalesce(dead.n, 0) AS dead, coalesce(dead.reasons, '{}'::jsonb) AS dead_by_reason
FROM raw FULL JOIN observed USING (source) FULL JOIN doubled USING (source) FULL JOIN dead USING (source)
WHERE coalesce(raw.n, 0) + coalesce(observed.n, 0) + coalesce(doubled.n, 0) + coalesce(dead.n, 0) > 0;
COMMENT ON VIEW lockstep.v_facts IS 'Per source: raw = observations + duplicates + dead + not yet read.';

CREATE VIEW lockstep.v_pool_places AS
SELECT order_key, channel,
       CASE WHEN released THEN 'released'
            WHEN pool = 'hold' THEN 'held'
            WHEN pool = 'filter' THEN 'filtered'
            WHEN pool = 'withdraw' OR ended THEN 'ended'
            ELSE 'nowhere' END AS place,
       CASE WHEN released THEN NULL WHEN pool = 'hold' THEN gate WHEN pool = 'filter' THEN rule_id END AS detail
FROM lockstep.orders WHERE paid;
COMMENT ON VIEW lockstep.v_pool_places IS 'Where each paid order is; nowhere must be empty.';

CREATE VIEW lockstep.v_orders_accounting AS
SELECT channel, place, detail, count(*) AS n FROM lockstep.v_pool_places GROUP BY channel, place, detail;

CREATE VIEW lockstep.v_conflicts_open AS
SELECT * FROM lockstep.conflicts WHERE state = 'opened';

CREATE VIEW lockstep.v_conflicts_daily AS
SELECT channel, (opened_at AT TIME ZONE 'Asia/Shanghai')::date AS day, kind,
       count(*) AS opened, count(*) FILTER (WHERE state = 'resolved') AS resolved
FROM lockstep.conflicts GROUP BY 1, 2, 3;

CREATE VIEW lockstep.v_jumps_daily AS
SELECT channel, (recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS day, kind, count(*) AS n, count(*) FILTER (WHERE breach) AS breaches
FROM lockstep.jumps GROUP BY 1, 2, 3;

CREATE VIEW lockstep.v_channels AS
SELECT channel, coalesce(state.state, 'open') AS state, state.reason, state.why, state.since, state."by",
       coalesce(counted.orders, 0) AS orders, coalesce(counted.held, 0) AS held, coalesce(today.opened, 0) AS conflicts_today,
       coalesce(counted.open_conflicts, 0) AS open_conflicts
FROM (SELECT channel, count(*) AS orders, count(*) FILTER (WHERE pool = 'hold') AS held, sum(open_conflicts)::bigint AS open_conflicts
      FROM lockstep.orders GROUP BY channel) counted
FULL JOIN lockstep.channel_state state USING (channel)
LEFT JOIN (SELECT channel, sum(opened)::bigint AS opened FROM lockstep.v_conflicts_daily
           WHERE day = (now() AT TIME ZONE 'Asia/Shanghai')::date GROUP BY channel) today USING (channel);

CREATE VIEW lockstep.v_orders_by_status AS
SELECT channel, status, count(*) AS n FROM lockstep.orders GROUP BY channel, status;

CREATE VIEW lockstep.v_stalls_daily AS
SELECT (fired_at AT TIME ZONE 'Asia/Shanghai')::date AS day, kind, tier, count(*) AS n, count(*) FILTER (WHERE alerted) AS alerted,
       avg(fired_at - due_at) AS lateness
FROM lockstep.stalls GROUP BY 1, 2, 3;

CREATE VIEW lockstep.v_alerts AS
SELECT target, kind, status, count(*) AS n, min(created_at) FILTER (WHERE status = 'pending') AS oldest_pending
FROM lockstep.alerts GROUP BY target, kind, status;

CREATE VIEW lockstep.v_dead AS
SELECT source, reason, stage, count(*) AS n, max(received_at) AS newest FROM lockstep.dead_letters GROUP BY source, reason, stage;

CREATE VIEW lockstep.v_latency AS
SELECT date_trunc('minute', written_at) AS minute, count(*) AS n,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM written_at - recorded_at)) AS p50_seconds,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM written_at - recorded_at)) AS p99_seconds
FROM lockstep.audit WHERE written_at > now() - interval '1 hour' GROUP BY 1;
COMMENT ON VIEW lockstep.v_latency IS 'From the receipt of a push to its audit row.';
