-- The audit as a log that shows what was done to it: each entry gets a leaf of a Merkle tree (RFC 6962) within a minute of
-- its commit. leaf is -1 until then.
ALTER TABLE audit ADD COLUMN leaf BIGINT NOT NULL DEFAULT -1;

CREATE INDEX audit_without_leaf ON audit (id) WHERE leaf < 0;
CREATE UNIQUE INDEX audit_leaf ON audit (leaf) WHERE leaf >= 0;

-- The tree's nodes, in the order of golang.org/x/mod/sumdb/tlog. Rows are only ever added.
CREATE TABLE audit_node (
    node BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL CHECK (length(hash) = 32)
);

-- The tree's size and root. Who gives leaves changes this row first.
CREATE TABLE audit_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    at BIGINT NOT NULL
);
