-- Which runs the transfers that have not ended ride, to find them when a run is disturbed.
CREATE TABLE transfer_ride (
    transfer_id TEXT NOT NULL REFERENCES transfer (transfer_id),
    number TEXT NOT NULL,
    day TEXT NOT NULL,
    PRIMARY KEY (transfer_id, number, day)
);

CREATE INDEX transfer_ride_by_run ON transfer_ride (number, day);

-- What happened to transfers, in one order: positions are given under transfer_head's only row.
CREATE TABLE transfer_head (
    one BIGINT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);

INSERT INTO transfer_head (one, position) VALUES (1, 0);

CREATE TABLE transfer_change (
    position BIGINT NOT NULL PRIMARY KEY,
    transfer_id TEXT NOT NULL,
    referral_id TEXT NOT NULL,
    from_organisation TEXT NOT NULL,
    to_organisation TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL,
    arrive_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE INDEX transfer_change_by_sender ON transfer_change (from_organisation, position);

CREATE INDEX transfer_change_by_receiver ON transfer_change (to_organisation, position);

-- Where patients on the way last were, in millionths of a degree.
CREATE TABLE transfer_position (
    transfer_id TEXT NOT NULL PRIMARY KEY REFERENCES transfer (transfer_id),
    latitude BIGINT NOT NULL,
    longitude BIGINT NOT NULL,
    at BIGINT NOT NULL
);

-- What is known of runs beyond the timetable.
CREATE TABLE disruption (
    day TEXT NOT NULL,
    number TEXT NOT NULL,
    doc TEXT NOT NULL,
    reported_at BIGINT NOT NULL,
    PRIMARY KEY (day, number)
);
