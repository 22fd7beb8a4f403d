CREATE TABLE part (
    thing_id TEXT NOT NULL REFERENCES thing (id),
    position BIGINT NOT NULL,
    PRIMARY KEY (thing_id, position)
);
