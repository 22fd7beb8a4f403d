-- Units of the pool. The version of a unit's row is its lock: whoever gives the unit away changes it first.
CREATE TABLE resource (
    resource_id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (organisation, kind, label)
);

-- Several reservations held together.
CREATE TABLE hold (
    hold_id TEXT NOT NULL PRIMARY KEY,
    referral_id TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    organisation TEXT NOT NULL,
    status TEXT NOT NULL,
    expire_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    release_reason TEXT NOT NULL,
    version BIGINT NOT NULL,
    CHECK (status IN ('HELD', 'CONFIRMED', 'RELEASED', 'EXPIRED'))
);

CREATE INDEX hold_by_referral ON hold (referral_id, hold_id);

-- One unit for one interval [start_at, end_at). Rows stay after the hold has ended, no longer live.
CREATE TABLE reservation (
    hold_id TEXT NOT NULL REFERENCES hold (hold_id),
    position BIGINT NOT NULL,
    resource_id TEXT NOT NULL REFERENCES resource (resource_id),
    start_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    expire_at BIGINT NOT NULL,
    confirmed BOOLEAN NOT NULL,
    live BOOLEAN NOT NULL,
    PRIMARY KEY (hold_id, position),
    CHECK (end_at > start_at)
);

CREATE INDEX reservation_by_unit ON reservation (resource_id, end_at) WHERE live;

-- Moves of patients. ended is 1 after arrival or abort.
CREATE TABLE transfer (
    transfer_id TEXT NOT NULL PRIMARY KEY,
    referral_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    from_organisation TEXT NOT NULL,
    to_organisation TEXT NOT NULL,
    status TEXT NOT NULL,
    ended BIGINT NOT NULL,
    depart_at BIGINT NOT NULL,
    doc TEXT NOT NULL,
    version BIGINT NOT NULL,
    CHECK (status IN ('PLANNED', 'READY', 'IN_TRANSIT', 'ARRIVED', 'ABORTED'))
);

CREATE UNIQUE INDEX transfer_live ON transfer (referral_id) WHERE ended = 0;

CREATE INDEX transfer_in_order ON transfer (ended, depart_at, transfer_id);

CREATE INDEX transfer_by_sender ON transfer (from_organisation, ended, depart_at);

CREATE INDEX transfer_by_receiver ON transfer (to_organisation, ended, depart_at);
