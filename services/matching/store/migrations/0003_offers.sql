-- What a center was shown, once, sealed, and when it had it; times are 0 until then. The hash is of the open text.
CREATE TABLE offer_shown (
  offer_id TEXT NOT NULL PRIMARY KEY REFERENCES offer (offer_id),
  doc BYTEA NOT NULL,
  hash TEXT NOT NULL,
  delivered_at BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  opened_by TEXT NOT NULL
);

-- The decisions on an offer, each hashed with the hash before; never updated.
CREATE TABLE offer_decision (
  offer_id TEXT NOT NULL REFERENCES offer (offer_id),
  number BIGINT NOT NULL,
  doc TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (offer_id, number)
);
