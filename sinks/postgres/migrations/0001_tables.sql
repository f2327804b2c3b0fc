-- Tables of contract.md. Every table has a key that is made of what it is about, so that a repeated record finds its row.
-- Rows that are updated often leave room on their page and have no index on what changes: such updates touch no index (HOT).

CREATE TABLE lockstep.orders (
    order_key        text PRIMARY KEY,
    channel          text NOT NULL,
    shop_id          text NOT NULL,
    order_id         text NOT NULL,
    version          bigint NOT NULL,
    status           text,
    aftersale_status text,
    payable_minor    bigint,
    currency         text,
    payment_method   text,
    customer_id      text,
    province         text,
    paid             boolean NOT NULL,
    paid_at          timestamptz,
    ended            boolean NOT NULL,
    jump_count       integer NOT NULL,
    open_conflicts   integer NOT NULL,
    pool             text,
    released         boolean NOT NULL,
    gate             text,
    rule_id          text,
    audit_seq        bigint NOT NULL,
    audit_head       text NOT NULL,
    parcels          text[] NOT NULL,
    updated_at       timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX orders_order_id ON lockstep.orders (order_id);
COMMENT ON TABLE lockstep.orders IS 'An order as it stands. A higher version replaces a lower one.';
COMMENT ON COLUMN lockstep.orders.audit_head IS 'Hash of the last audit record, kept apart from the audit table: a cut tail is seen.';
COMMENT ON COLUMN lockstep.orders.updated_at IS 'Receipt time of the newest fact.';

CREATE TABLE lockstep.order_sources (
    order_key        text NOT NULL,
    source           text NOT NULL,
    source_kind      text NOT NULL,
    version          bigint NOT NULL,
    status           text,
    aftersale_status text,
    stock_status     text,
    occurred_at      timestamptz,
    received_at      timestamptz,
    payable_minor    bigint,
    currency         text,
    observations     bigint NOT NULL,
    duplicates       bigint NOT NULL,
    PRIMARY KEY (order_key, source)
) WITH (fillfactor = 70);
COMMENT ON TABLE lockstep.order_sources IS 'What each source says of an order now. version is that of the order when this last changed.';

CREATE TABLE lockstep.audit (
    order_key    text NOT NULL,
    seq          bigint NOT NULL,
    source       text NOT NULL,
    axis         text NOT NULL,
    operator     text,
    trigger      text,
    occurred_at  timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    from_status  text,
    to_status    text NOT NULL,
    disposition  text NOT NULL,
    raw_event_id text NOT NULL,
    prev_hash    text NOT NULL,
    hash         text NOT NULL,
    derived      boolean NOT NULL,
    clock        text NOT NULL,
    written_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_key, seq)
);
CREATE INDEX audit_recorded_at ON lockstep.audit USING brin (recorded_at);
COMMENT ON TABLE lockstep.audit IS 'Hash chain per order, append-only. derived, clock and written_at are not part of the hash.';

CREATE FUNCTION lockstep.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'lockstep.% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lockstep.audit
    FOR EACH STATEMENT EXECUTE FUNCTION lockstep.refuse_change();

CREATE TABLE lockstep.jumps (
    order_key   text NOT NULL,
    event_id    text NOT NULL,
    channel     text NOT NULL,
    source      text NOT NULL,
    axis        text NOT NULL,
    kind        text NOT NULL,
    n           integer NOT NULL,
    from_status text,
    to_status   text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    breach      boolean NOT NULL,
    PRIMARY KEY (order_key, source, event_id)
);
CREATE INDEX jumps_channel ON lockstep.jumps (channel, recorded_at);
COMMENT ON COLUMN lockstep.jumps.n IS 'Counts the jumps of the order over all sources, from 1.';

CREATE TABLE lockstep.conflicts (
    conflict_id text PRIMARY KEY,
    order_key   text NOT NULL,
    channel     text NOT NULL,
    kind        text NOT NULL,
    state       text NOT NULL,
    version     smallint NOT NULL,
    opened_at   timestamptz NOT NULL,
    resolved_at timestamptz,
    due_at      timestamptz,
    evidence    jsonb NOT NULL
);
CREATE INDEX conflicts_order ON lockstep.conflicts (order_key);
CREATE INDEX conflicts_channel ON lockstep.conflicts (channel, opened_at);
COMMENT ON COLUMN lockstep.conflicts.version IS '1 opened, 2 resolved: resolved is never overwritten by opened.';

CREATE TABLE lockstep.channel_state (
    channel    text PRIMARY KEY,
    seq        bigint NOT NULL,
    state      text NOT NULL,
    action     text NOT NULL,
    reason     text NOT NULL,
    why        text,
    "by"       text NOT NULL,
    since      timestamptz NOT NULL,
    evidence   text[] NOT NULL,
    order_keys text[] NOT NULL
);
CREATE TABLE lockstep.channel_history (
    channel    text NOT NULL,
    seq        bigint NOT NULL,
    state      text NOT NULL,
    action     text NOT NULL,
    reason     text NOT NULL,
    why        text,
    "by"       text NOT NULL,
    since      timestamptz NOT NULL,
    evidence   text[] NOT NULL,
    order_keys text[] NOT NULL,
    PRIMARY KEY (channel, seq)
);
COMMENT ON TABLE lockstep.channel_history IS 'A row per control record. channel_state holds the newest; a channel that was never paused has none.';

CREATE TABLE lockstep.pool (
    order_key     text PRIMARY KEY,
    channel       text NOT NULL,
    seq           bigint NOT NULL,
    record_id     text NOT NULL,
    action        text NOT NULL,
    gate          text,
    rule_id       text,
    branch        text,
    tags          text[] NOT NULL,
    account       text,
    reason        text,
    paid_at       timestamptz,
    payable_minor bigint,
    currency      text,
    at            timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX pool_held ON lockstep.pool (channel, gate, paid_at) WHERE action = 'hold';

CREATE TABLE lockstep.pool_history (
    order_key     text NOT NULL,
    channel       text NOT NULL,
    seq           bigint NOT NULL,
    record_id     text NOT NULL,
    action        text NOT NULL,
    gate          text,
    rule_id       text,
    branch        text,
    tags          text[] NOT NULL,
    account       text,
    reason        text,
    paid_at       timestamptz,
    payable_minor bigint,
    currency      text,
    at            timestamptz NOT NULL,
    PRIMARY KEY (order_key, seq)
);
COMMENT ON TABLE lockstep.pool_history IS 'A row per pool record. pool holds the newest of each order.';

CREATE TABLE lockstep.parcels (
    parcel_key       text PRIMARY KEY,
    order_key        text,
    courier          text NOT NULL,
    tracking_no      text NOT NULL,
    version          bigint NOT NULL,
    customer_id      text,
    status           text,
    status_at        timestamptz,
    text             text,
    place            text,
    last_movement_at timestamptz,
    watching         boolean NOT NULL,
    episode          integer NOT NULL,
    tier             smallint NOT NULL,
    observations     bigint NOT NULL,
    duplicates       bigint NOT NULL,
    updated_at       timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX parcels_order ON lockstep.parcels (order_key);

CREATE TABLE lockstep.parcel_events (
    parcel_key  text NOT NULL,
    source      text NOT NULL,
    event_id    text NOT NULL,
    kind        text NOT NULL,
    status      text,
    code        text,
    text        text,
    place       text,
    reason      text,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    clock       text NOT NULL,
    operator    text,
    order_key   text,
    customer_id text,
    PRIMARY KEY (parcel_key, source, event_id)
);
COMMENT ON TABLE lockstep.parcel_events IS 'kind node: what a courier said; kind link: an order''s word whose parcel it is.';

CREATE TABLE lockstep.stalls (
    parcel_key       text NOT NULL,
    kind             text NOT NULL,
    episode          integer NOT NULL,
    tier             smallint NOT NULL,
    due_at           timestamptz NOT NULL,
    fired_at         timestamptz NOT NULL,
    last_movement_at timestamptz NOT NULL,
    order_key        text,
    customer_id      text,
    alerted          boolean NOT NULL,
    PRIMARY KEY (parcel_key, kind, episode, tier)
);
CREATE INDEX stalls_fired_at ON lockstep.stalls (fired_at);

CREATE TABLE lockstep.alerts (
    alert_id      text PRIMARY KEY,
    alert_key     text NOT NULL,
    target        text NOT NULL,
    kind          text NOT NULL,
    severity      text NOT NULL,
    priority      smallint NOT NULL,
    channel       text,
    order_key     text,
    parcel_key    text,
    customer_id   text,
    params        jsonb NOT NULL,
    title         text NOT NULL,
    text          text NOT NULL,
    status        text NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    at            timestamptz NOT NULL,
    created_at    timestamptz NOT NULL,
    due_at        timestamptz NOT NULL,
    claimed_until timestamptz,
    sent_at       timestamptz,
    message_id    text,
    error         text,
    UNIQUE (alert_key, target)
) WITH (fillfactor = 80);
CREATE INDEX alerts_pending ON lockstep.alerts (target, priority, created_at) WHERE status = 'pending';
CREATE INDEX alerts_created_at ON lockstep.alerts (created_at);
COMMENT ON TABLE lockstep.alerts IS 'Outbox: a row per alert and target. status: pending, sent, failed, obsolete, unrouted.';
COMMENT ON COLUMN lockstep.alerts.message_id IS 'The message that carried it: its own alert_id, or the id of a digest.';
COMMENT ON COLUMN lockstep.alerts.at IS 'When it became true; created_at is when the sink wrote it.';

CREATE TABLE lockstep.alert_targets (
    target       text PRIMARY KEY,
    recent       timestamptz[] NOT NULL DEFAULT '{}',
    failures     integer NOT NULL DEFAULT 0,
    paused_until timestamptz,
    state        text NOT NULL DEFAULT 'ok',
    error        text,
    changed_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE lockstep.alert_targets IS 'Limits and health of each bot, shared by all sink workers. state: ok, slow, away, misconfigured.';
COMMENT ON COLUMN lockstep.alert_targets.recent IS 'When the messages of the last minute were sent.';

CREATE TABLE lockstep.dead_letters (
    origin_topic     text NOT NULL,
    origin_partition integer NOT NULL,
    origin_offset    bigint NOT NULL,
    event_id         text NOT NULL,
    source           text NOT NULL,
    connector        text NOT NULL,
    kind             text NOT NULL,
    shop             text NOT NULL,
    reason           text NOT NULL,
    detail           text NOT NULL,
    digest           text,
    stage            text NOT NULL,
    received_at      timestamptz NOT NULL,
    headers          jsonb NOT NULL,
    payload          bytea NOT NULL,
    replays          integer NOT NULL DEFAULT 0,
    replayed_at      timestamptz,
    PRIMARY KEY (origin_topic, origin_partition, origin_offset)
);
CREATE INDEX dead_letters_event ON lockstep.dead_letters (event_id);
CREATE INDEX dead_letters_source ON lockstep.dead_letters (source, reason);
COMMENT ON COLUMN lockstep.dead_letters.stage IS 'stream, or sink: a record that the sink could not read.';
COMMENT ON COLUMN lockstep.dead_letters.kind IS 'channel, system, courier; internal: a record of ours, no raw event.';

CREATE TABLE lockstep.raw_counts (
    topic       text NOT NULL,
    partition   integer NOT NULL,
    source      text NOT NULL,
    n           bigint NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition, source)
) WITH (fillfactor = 50);
COMMENT ON TABLE lockstep.raw_counts IS 'Raw events per source, each offset counted once: those below the partition''s highest next_offset are counted.';
