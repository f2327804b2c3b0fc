-- Replays of dead letters: a letter that fails again is the same letter, and counts once.

ALTER TABLE lockstep.dead_letters ADD COLUMN replay_of text GENERATED ALWAYS AS (headers ->> 'lockstep-replay') STORED;
COMMENT ON COLUMN lockstep.dead_letters.replay_of IS
    'Of a letter that was replayed and failed again: topic/partition/offset of the first one. Such a row is in no count.';
CREATE INDEX dead_letters_again ON lockstep.dead_letters (replay_of) WHERE replay_of IS NOT NULL;

CREATE TABLE lockstep.dead_replays (
    replay_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    chosen      jsonb NOT NULL,
    replayed    integer NOT NULL DEFAULT 0,
    gone        integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE lockstep.dead_replays IS 'Each run of `lockstep dead replay`: which letters were chosen, how many were sent. Without finished_at: it broke off.';

CREATE VIEW lockstep.v_dead_letters AS
SELECT d.*, coalesce(again.n, 0) AS failed_again, again.newest AS failed_again_at,
       CASE WHEN d.replays = 0 THEN 'waiting' WHEN coalesce(again.n, 0) >= d.replays THEN 'failed again' ELSE 'sent' END AS result
FROM lockstep.dead_letters d LEFT JOIN (
    SELECT replay_of, count(*) AS n, max(received_at) AS newest FROM lockstep.dead_letters WHERE replay_of IS NOT NULL GROUP BY replay_of
) again ON again.replay_of = d.origin_topic || '/' || d.origin_partition || '/' || d.origin_offset
WHERE d.replay_of IS NULL;
COMMENT ON VIEW lockstep.v_dead_letters IS 'Letters, each once, with what became of its replays: waiting, sent (gone through, or on its way), failed again.';

CREATE OR REPLACE VIEW lockstep.v_dead AS
SELECT source, reason, stage, count(*) AS n, max(received_at) AS newest FROM lockstep.dead_letters
WHERE replay_of IS NULL GROUP BY source, reason, stage;

-- A replay that failed again is neither another raw event nor another dead letter. A letter of a later stage that was
-- replayed counts as what became of it then.
CREATE OR REPLACE VIEW lockstep.v_facts AS
WITH raw AS (
    SELECT source, sum(n)::bigint AS n FROM (
        SELECT source, n FROM lockstep.raw_counts
        UNION ALL
        SELECT source, -1 FROM lockstep.dead_letters WHERE replay_of IS NOT NULL
    ) counts GROUP BY source
),
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
        SELECT source, reason, count(*) AS n FROM lockstep.dead_letters
        WHERE kind <> 'internal' AND replay_of IS NULL AND (replays = 0 OR origin_topic LIKE 'lockstep.raw.%')
        GROUP BY source, reason
    ) letters GROUP BY source
)
SELECT source, coalesce(raw.n, 0) AS raw, coalesce(observed.n, 0) AS observations, coalesce(doubled.n, 0) AS duplicates,
       coalesce(dead.n, 0) AS dead, coalesce(dead.reasons, '{}'::jsonb) AS dead_by_reason
FROM raw FULL JOIN observed USING (source) FULL JOIN doubled USING (source) FULL JOIN dead USING (source)
WHERE coalesce(raw.n, 0) + coalesce(observed.n, 0) + coalesce(doubled.n, 0) + coalesce(dead.n, 0) > 0;
