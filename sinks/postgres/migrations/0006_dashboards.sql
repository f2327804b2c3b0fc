-- What dashboards read: views without payloads, texts and customers, and a function that lets a role read them and nothing else.
-- Tables that only grow are read by time: a BRIN index costs nearly nothing to keep.

CREATE INDEX conflicts_opened_at ON lockstep.conflicts USING brin (opened_at);
CREATE INDEX jumps_recorded_at ON lockstep.jumps USING brin (recorded_at);
CREATE INDEX pool_history_at ON lockstep.pool_history USING brin (at);
CREATE INDEX parcel_events_received_at ON lockstep.parcel_events USING brin (received_at);

CREATE VIEW lockstep.v_conflicts AS
SELECT opened_at, resolved_at, due_at, channel, kind, state, order_key, conflict_id,
       extract(epoch FROM coalesce(resolved_at, now()) - opened_at) AS open_seconds
FROM lockstep.conflicts;
COMMENT ON VIEW lockstep.v_conflicts IS 'Conflicts without their evidence.';

CREATE VIEW lockstep.v_jumps AS
SELECT recorded_at, occurred_at, channel, source, axis, kind, n, breach, from_status, to_status, order_key FROM lockstep.jumps;

CREATE VIEW lockstep.v_pool_events AS
SELECT at, channel, action, gate, rule_id, branch, order_key FROM lockstep.pool_history;
COMMENT ON VIEW lockstep.v_pool_events IS 'Every release, hold, filter and withdrawal.';

CREATE VIEW lockstep.v_held AS
SELECT order_key, channel, coalesce(gate, '') AS gate, rule_id, reason, paid_at, at AS held_at,
       extract(epoch FROM now() - at) AS held_seconds
FROM lockstep.pool WHERE action = 'hold';
COMMENT ON VIEW lockstep.v_held IS 'Orders that wait at a gate, and for how long.';

CREATE VIEW lockstep.v_channel_log AS
SELECT since, channel, state, action, reason, why, "by" FROM lockstep.channel_history;

CREATE VIEW lockstep.v_stalls AS
SELECT s.fired_at, s.due_at, s.kind, s.tier, p.courier, s.parcel_key, s.order_key, s.alerted, s.last_movement_at,
       extract(epoch FROM s.fired_at - s.due_at) AS late_seconds
FROM lockstep.stalls s LEFT JOIN lockstep.parcels p USING (parcel_key);

CREATE VIEW lockstep.v_parcels_by_status AS
SELECT courier, status, count(*) AS n, count(*) FILTER (WHERE watching) AS watched,
       count(*) FILTER (WHERE watching AND tier > 0) AS stalled
FROM lockstep.parcels GROUP BY courier, status;

CREATE VIEW lockstep.v_parcel_nodes AS
SELECT received_at, occurred_at, source, status, parcel_key FROM lockstep.parcel_events WHERE kind = 'node';

CREATE VIEW lockstep.v_alert_log AS
SELECT created_at, sent_at, target, kind, severity, status, channel, order_key, parcel_key, title, attempts, error,
       extract(epoch FROM coalesce(sent_at, now()) - greatest(created_at, due_at)) AS wait_seconds
FROM lockstep.alerts;
COMMENT ON VIEW lockstep.v_alert_log IS 'Alerts without their texts; wait_seconds counts from when it was due to be sent.';

CREATE VIEW lockstep.v_alert_targets AS
SELECT target, state, failures, paused_until, changed_at, error FROM lockstep.alert_targets;

CREATE VIEW lockstep.v_dead_arrivals AS
SELECT received_at, source, reason, stage, connector, shop, event_id, detail FROM lockstep.dead_letters WHERE replay_of IS NULL;
COMMENT ON VIEW lockstep.v_dead_arrivals IS 'Dead letters without headers and payloads.';

CREATE VIEW lockstep.v_sources AS
SELECT source, source_kind, count(*) AS orders, max(received_at) AS newest, sum(duplicates)::bigint AS duplicates
FROM lockstep.order_sources GROUP BY source, source_kind;
COMMENT ON VIEW lockstep.v_sources IS 'What has spoken of orders, and when last.';

CREATE VIEW lockstep.v_audit_roots AS
SELECT day, closed_at, records, chains, grown, broken, root FROM lockstep.audit_roots;

CREATE FUNCTION lockstep.let_dashboards_read(reader name) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found name;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA lockstep TO %I', reader);
    -- v_dead_letters and v_conflicts_open hold payloads and evidence
    FOR found IN SELECT viewname FROM pg_views WHERE schemaname = 'lockstep' AND viewname LIKE 'v\_%'
                 AND viewname NOT IN ('v_dead_letters', 'v_conflicts_open') LOOP
        EXECUTE format('GRANT SELECT ON lockstep.%I TO %I', found, reader);
    END LOOP;
END
$$;
COMMENT ON FUNCTION lockstep.let_dashboards_read IS 'Lets a role read the views of dashboards, and no table.';
REVOKE EXECUTE ON FUNCTION lockstep.let_dashboards_read FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'lockstep_grafana') THEN
        PERFORM lockstep.let_dashboards_read('lockstep_grafana');
    END IF;
END
$$;
