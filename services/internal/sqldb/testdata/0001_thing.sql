-- The quotes and words in this comment stay: 'BIGINT', CREATE TABLE, ).
CREATE TABLE thing (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    n BIGINT NOT NULL,
    data BYTEA,
    flag BOOLEAN NOT NULL DEFAULT FALSE,
    note TEXT NOT NULL DEFAULT 'a (BIGINT); note',
    version BIGINT NOT NULL
);

CREATE UNIQUE INDEX thing_by_n_once ON thing (n) WHERE n > 1000000;
