-- The answers given to mutations, so that a repeated request gets the first answer.
CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id TEXT NOT NULL,
    payload_hash BYTEA NOT NULL,
    answer BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (caller, method, request_id),
    CHECK (length(request_id) BETWEEN 1 AND 128)
);

CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- Who did what, and how it ended. Rows are only ever added.
CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    subject TEXT NOT NULL,
    organisation TEXT NOT NULL,
    service TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    outcome TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    trace_id TEXT NOT NULL
);

CREATE INDEX audit_by_resource ON audit (resource, id);
