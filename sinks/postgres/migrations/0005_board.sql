-- What the board looks up, by index. None has a column that is updated often: updates of hot rows stay on their page (HOT).

CREATE INDEX conflicts_open ON lockstep.conflicts (opened_at, conflict_id) WHERE state = 'opened';
CREATE INDEX parcels_tracking_no ON lockstep.parcels (tracking_no);
CREATE INDEX parcels_stalled ON lockstep.parcels (tier) WHERE watching AND tier > 0;
CREATE INDEX alerts_kind ON lockstep.alerts (kind, created_at);
CREATE INDEX alerts_order ON lockstep.alerts (order_key, created_at) WHERE order_key IS NOT NULL;
CREATE INDEX dead_letters_newest ON lockstep.dead_letters (received_at, origin_topic, origin_partition, origin_offset) WHERE replay_of IS NULL;
CREATE INDEX dead_letters_kept ON lockstep.dead_letters (source, reason, received_at) WHERE replay_of IS NULL;
