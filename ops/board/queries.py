"""What the board asks PostgreSQL: by an index, or a bounded page. Tables are counted for the snapshot only."""

# The snapshot

ORDERS = """
SELECT channel, count(*) AS orders, count(*) FILTER (WHERE open_conflicts > 0) AS out_of_step, count(*) FILTER (WHERE paid) AS paid,
    count(*) FILTER (WHERE pool = 'release') AS released, count(*) FILTER (WHERE pool = 'filter') AS filtered,
    count(*) FILTER (WHERE pool = 'withdraw') AS withdrawn, coalesce(sum(open_conflicts), 0)::bigint AS open_conflicts
FROM lockstep.orders GROUP BY channel"""
HELD = "SELECT channel, gate, count(*) AS n, min(paid_at) AS oldest FROM lockstep.pool WHERE action = 'hold' GROUP BY channel, gate"
STATES = 'SELECT channel, seq, state, action, reason, why, since, "by" FROM lockstep.channel_state'
RESUMED = "SELECT channel, max(since) AS at FROM lockstep.channel_history WHERE action = 'resume' GROUP BY channel"
TODAY = """
SELECT c.channel, count(*) AS today, count(*) FILTER (WHERE c.opened_at >= coalesce(w.since, '-infinity')) AS counted
FROM lockstep.conflicts c LEFT JOIN unnest($1::text[], $3::timestamptz[]) AS w (channel, since) ON w.channel = c.channel
WHERE c.channel = ANY ($1) AND c.opened_at >= $2 GROUP BY c.channel"""
CONFLICTS_HOURLY = """
SELECT channel AS series, extract(epoch FROM date_trunc('hour', opened_at))::bigint AS hour, count(*) AS n
FROM lockstep.conflicts WHERE channel = ANY ($1) AND opened_at >= $2 GROUP BY 1, 2 ORDER BY 1, 2"""
JUMPS_HOURLY = """
SELECT channel AS series, extract(epoch FROM date_trunc('hour', recorded_at))::bigint AS hour, count(*) AS n
FROM lockstep.jumps WHERE channel = ANY ($1) AND recorded_at >= $2 GROUP BY 1, 2 ORDER BY 1, 2"""
STALLS_HOURLY = """
SELECT CASE kind WHEN 'stall' THEN tier::text ELSE kind END AS series, extract(epoch FROM date_trunc('hour', fired_at))::bigint AS hour,
    count(*) AS n
FROM lockstep.stalls WHERE fired_at >= $1 GROUP BY 1, 2 ORDER BY 1, 2"""
STALLS_TODAY = "SELECT kind, tier, count(*) AS n FROM lockstep.stalls WHERE fired_at >= $1 GROUP BY kind, tier"
STALLED = "SELECT tier, count(*) AS n FROM lockstep.parcels WHERE watching AND tier > 0 GROUP BY tier"
DEAD = "SELECT source, reason, count(*) AS n, max(received_at) AS newest FROM lockstep.dead_letters WHERE replay_of IS NULL GROUP BY 1, 2"

# Pages: each looks up one row more than it shows

ALERT = "alert_id, kind, severity, channel, order_key, parcel_key, target, status, attempts, at, created_at, sent_at, title, text, params"
ALERTS = f"""
SELECT {ALERT} FROM lockstep.alerts WHERE $1::timestamptz IS NULL OR (created_at, alert_id) < ($1, $2::text)
ORDER BY created_at DESC, alert_id DESC LIMIT $3"""  # noqa: S608 - a constant
ALERTS_OF_KIND = f"""
SELECT {ALERT} FROM lockstep.alerts WHERE kind = $4 AND ($1::timestamptz IS NULL OR (created_at, alert_id) < ($1, $2::text))
ORDER BY created_at DESC, alert_id DESC LIMIT $3"""  # noqa: S608 - a constant
ALERTS_OF_ORDER = f"SELECT {ALERT} FROM lockstep.alerts WHERE order_key = $1 ORDER BY created_at DESC LIMIT 50"  # noqa: S608 - a constant
CONFLICT = "conflict_id, order_key, channel, kind, state, opened_at, resolved_at, due_at, evidence"
CONFLICTS_OPEN = f"""
SELECT {CONFLICT} FROM lockstep.conflicts
WHERE state = 'opened' AND ($1::text IS NULL OR channel = $1) AND ($2::timestamptz IS NULL OR (opened_at, conflict_id) < ($2, $3::text))
ORDER BY opened_at DESC, conflict_id DESC LIMIT $4"""  # noqa: S608 - a constant
CONFLICTS_ALL = f"""
SELECT {CONFLICT} FROM lockstep.conflicts
WHERE channel = $1 AND ($2::timestamptz IS NULL OR (opened_at, conflict_id) < ($2, $3::text))
ORDER BY opened_at DESC, conflict_id DESC LIMIT $4"""  # noqa: S608 - a constant
CONFLICTS_NAMED = f"SELECT {CONFLICT} FROM lockstep.conflicts WHERE conflict_id = ANY ($1) ORDER BY opened_at"  # noqa: S608 - a constant
HELD_PAGE = """
SELECT order_key, gate, rule_id, branch, reason, paid_at, payable_minor, currency, at FROM lockstep.pool
WHERE channel = $1 AND action = 'hold' AND ($2::text IS NULL OR (gate, paid_at, order_key) > ($2, $3::timestamptz, $4::text))
ORDER BY gate, paid_at, order_key LIMIT $5"""
STATE = """
SELECT channel, seq, state, action, reason, why, since, "by", evidence AS findings, order_keys FROM lockstep.channel_state
WHERE channel = $1"""
HISTORY = """
SELECT seq, state, action, reason, why, since, "by", cardinality(order_keys) AS orders FROM lockstep.channel_history
WHERE channel = $1 AND ($2::bigint IS NULL OR seq < $2) ORDER BY seq DESC LIMIT $3"""

# An order, a parcel, the search

AUDIT = "SELECT * FROM lockstep.audit WHERE order_key = $1 AND seq > $2 ORDER BY seq LIMIT $3"
CHAIN = "SELECT * FROM lockstep.audit WHERE order_key = $1 ORDER BY seq"
HEADS = "SELECT day, seq, head FROM lockstep.audit_heads WHERE order_key = $1 ORDER BY day"
TOLD = "SELECT audit_seq, audit_head FROM lockstep.orders WHERE order_key = $1"
FOUND_ORDERS = """
SELECT order_key, channel, status, aftersale_status, open_conflicts, jump_count, pool, gate, updated_at FROM lockstep.orders
WHERE order_key IN (SELECT order_key FROM lockstep.orders WHERE order_key = $1
    UNION SELECT order_key FROM lockstep.orders WHERE order_id = $1) ORDER BY order_key LIMIT $2"""
FOUND_PARCELS = """
SELECT parcel_key, order_key, courier, tracking_no, status, watching, tier, last_movement_at FROM lockstep.parcels
WHERE parcel_key IN (SELECT parcel_key FROM lockstep.parcels WHERE parcel_key = $1
    UNION SELECT parcel_key FROM lockstep.parcels WHERE tracking_no = ANY ($2)) ORDER BY parcel_key LIMIT $3"""
VERSIONS = """
SELECT order_key AS key, version FROM lockstep.orders WHERE order_key = ANY ($1)
UNION ALL SELECT parcel_key, version FROM lockstep.parcels WHERE parcel_key = ANY ($1)"""

# Dead letters

LETTERS = """
SELECT d.*, again.n AS failed_again,
    CASE WHEN d.replays = 0 THEN 'waiting' WHEN again.n >= d.replays THEN 'failed again' ELSE 'sent' END AS result
FROM (SELECT origin_topic, origin_partition, origin_offset, event_id, source, connector, kind, shop, reason, detail, stage, received_at,
        replays, replayed_at, length(payload) AS bytes
    FROM lockstep.dead_letters WHERE replay_of IS NULL AND ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR reason = $2)
        AND ($3::timestamptz IS NULL OR (received_at, origin_topic, origin_partition, origin_offset) < ($3, $4::text, $5::int, $6::bigint))
    ORDER BY received_at DESC, origin_topic DESC, origin_partition DESC, origin_offset DESC LIMIT $7) d
CROSS JOIN LATERAL (SELECT count(*) AS n FROM lockstep.dead_letters f
    WHERE f.replay_of = d.origin_topic || '/' || d.origin_partition || '/' || d.origin_offset) again
ORDER BY d.received_at DESC, d.origin_topic DESC, d.origin_partition DESC, d.origin_offset DESC"""
LETTER = """
SELECT event_id, source, connector, kind, shop, reason, detail, stage, received_at, headers, length(payload) AS bytes,
    substring(payload FROM 1 FOR $4) AS payload, replays, replayed_at, origin_topic, origin_partition, origin_offset
FROM lockstep.dead_letters WHERE origin_topic = $1 AND origin_partition = $2 AND origin_offset = $3"""
