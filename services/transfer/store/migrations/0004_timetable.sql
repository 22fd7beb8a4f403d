-- Versions of timetables. The compact form stands apart, so that lists do not read it.
CREATE TABLE timetable_version (
    timetable_id TEXT NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL UNIQUE,
    feed TEXT NOT NULL,
    doc TEXT NOT NULL,
    compact BYTEA NOT NULL
);

CREATE INDEX timetable_version_by_feed ON timetable_version (feed, sequence);

-- From which day a version is in force. Rows stay after they were withdrawn.
CREATE TABLE timetable_activation (
    sequence BIGINT NOT NULL PRIMARY KEY,
    timetable_id TEXT NOT NULL REFERENCES timetable_version (timetable_id),
    feed TEXT NOT NULL,
    effective_day TEXT NOT NULL,
    activated_by TEXT NOT NULL,
    activated_at BIGINT NOT NULL,
    withdrawn_at BIGINT NOT NULL
);

-- One row: its edition is the lock on and the version of all activations; next counts both sequences.
CREATE TABLE timetable_force (
    one BIGINT NOT NULL PRIMARY KEY,
    edition BIGINT NOT NULL,
    next BIGINT NOT NULL
);

INSERT INTO timetable_force (one, edition, next) VALUES (1, 1, 1);
