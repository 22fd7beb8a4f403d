-- One row a center, with its programs in doc.
CREATE TABLE center (
  center_id TEXT NOT NULL PRIMARY KEY,
  line TEXT NOT NULL,
  version BIGINT NOT NULL,
  doc TEXT NOT NULL
);

-- The organs a center has a program for.
CREATE TABLE center_organ (
  center_id TEXT NOT NULL REFERENCES center (center_id),
  organ TEXT NOT NULL,
  PRIMARY KEY (organ, center_id)
);

-- Frozen runs; never updated.
CREATE TABLE match_run (
  match_run_id TEXT NOT NULL PRIMARY KEY,
  referral_id TEXT NOT NULL,
  referrer TEXT NOT NULL,
  run_at BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE INDEX match_run_referral ON match_run (referral_id, match_run_id);

-- One row an offer. locks counts who held the row; the version clients see is in doc.
CREATE TABLE offer (
  offer_id TEXT NOT NULL PRIMARY KEY,
  referral_id TEXT NOT NULL,
  center_id TEXT NOT NULL,
  referrer TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('OPEN', 'ACCEPTING', 'ACCEPTED', 'DECLINED', 'EXPIRED', 'WITHDRAWN')),
  expires_at BIGINT NOT NULL,
  locks BIGINT NOT NULL,
  doc TEXT NOT NULL
);
-- Two centers never take one patient.
CREATE UNIQUE INDEX offer_binding ON offer (referral_id) WHERE status IN ('ACCEPTING', 'ACCEPTED');
-- A center is asked once at a time.
CREATE UNIQUE INDEX offer_live ON offer (referral_id, center_id) WHERE status IN ('OPEN', 'ACCEPTING', 'ACCEPTED');
CREATE INDEX offer_order ON offer (expires_at, offer_id);
CREATE INDEX offer_center ON offer (center_id, expires_at, offer_id);
CREATE INDEX offer_referrer ON offer (referrer, expires_at, offer_id);
CREATE INDEX offer_referral ON offer (referral_id, expires_at, offer_id);

-- What the case must learn of an offer, in order.
CREATE TABLE offer_event (
  offer_id TEXT NOT NULL REFERENCES offer (offer_id),
  number BIGINT NOT NULL,
  told BOOLEAN NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (offer_id, number)
);
