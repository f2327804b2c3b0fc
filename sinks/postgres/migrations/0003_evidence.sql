-- Tamper evidence: the head of each chain on the days on which it grew, and a root over all heads each day.

CREATE INDEX audit_written_at ON lockstep.audit USING brin (written_at);

-- Leaves stand in the order of their bytes, so that everybody computes the same root, whatever the database's collation is.
CREATE TABLE lockstep.audit_heads (
    order_key text COLLATE "C" NOT NULL,
    day       date NOT NULL,
    seq       bigint NOT NULL,
    head      text NOT NULL,
    PRIMARY KEY (order_key, day)
);
COMMENT ON TABLE lockstep.audit_heads IS 'Chains that grew until a day was closed. All heads of a day: the newest row of each order up to it. Append-only.';

CREATE TABLE lockstep.audit_roots (
    day       date PRIMARY KEY,
    closed_at timestamptz NOT NULL,
    records   bigint NOT NULL,
    chains    bigint NOT NULL,
    grown     bigint NOT NULL,
    broken    bigint NOT NULL,
    growth    text NOT NULL,
    previous  text NOT NULL,
    tree      text NOT NULL,
    root      text NOT NULL
);
COMMENT ON TABLE lockstep.audit_roots IS 'A Merkle root over all chain heads each Shanghai day, also on topic audit.root and in an alert. Append-only.';

CREATE TABLE lockstep.audit_root_copies (
    day          date PRIMARY KEY,
    published_at timestamptz NOT NULL
);
COMMENT ON TABLE lockstep.audit_root_copies IS 'Roots that were written to the topic audit.root.';

CREATE TRIGGER audit_heads_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lockstep.audit_heads
    FOR EACH STATEMENT EXECUTE FUNCTION lockstep.refuse_change();
CREATE TRIGGER audit_roots_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lockstep.audit_roots
    FOR EACH STATEMENT EXECUTE FUNCTION lockstep.refuse_change();
