-- What the owner of a unit says of it. Calendar is empty for one that is always to be had; edition counts these changes,
-- version stays the lock.
ALTER TABLE resource ADD COLUMN calendar TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN out_of_service BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE resource ADD COLUMN reported_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE resource ADD COLUMN reported_by TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;

-- OWN and RETURN are written; a referral's and a transfer's follow from transfer_id.
ALTER TABLE hold ADD COLUMN purpose TEXT NOT NULL DEFAULT '';

CREATE INDEX hold_by_transfer ON hold (transfer_id) WHERE transfer_id <> '';

-- Units reserved for referred patients over whole days. Whoever takes a unit of the kind in the period changes the row first.
CREATE TABLE quota (
    quota_id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL,
    kind TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    units BIGINT NOT NULL,
    share_bp BIGINT NOT NULL,
    most_referred BIGINT NOT NULL,
    version BIGINT NOT NULL,
    locks BIGINT NOT NULL,
    CHECK (to_at > from_at)
);

CREATE INDEX quota_by_owner ON quota (organisation, kind, from_at);

-- Units at others' disposal. Of one unit no two live loans overlap: the unit's row is changed first.
CREATE TABLE loan (
    loan_id TEXT NOT NULL PRIMARY KEY,
    resource_id TEXT NOT NULL REFERENCES resource (resource_id),
    kind TEXT NOT NULL,
    lender TEXT NOT NULL,
    borrower TEXT NOT NULL,
    start_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    live BOOLEAN NOT NULL,
    owed_micros BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK (end_at >= start_at),
    CHECK (status IN ('OFFERED', 'LENT', 'ENDED'))
);

CREATE INDEX loan_by_lender ON loan (lender, kind, end_at);

CREATE INDEX loan_by_borrower ON loan (borrower, kind, end_at);

CREATE INDEX loan_by_unit ON loan (resource_id, end_at) WHERE live;

-- Who took a unit from whom, on whose word. Append-only.
CREATE TABLE unit_override (
    taking_hold_id TEXT NOT NULL REFERENCES hold (hold_id),
    yielding_hold_id TEXT NOT NULL REFERENCES hold (hold_id),
    resource_id TEXT NOT NULL REFERENCES resource (resource_id),
    position BIGINT NOT NULL,
    organisation TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    moved_to TEXT NOT NULL,
    PRIMARY KEY (taking_hold_id, yielding_hold_id, position)
);

CREATE INDEX unit_override_by_yielding ON unit_override (yielding_hold_id);
