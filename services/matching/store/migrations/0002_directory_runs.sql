-- Who changed what of a center: one row a version, never updated.
CREATE TABLE center_change (
  center_id TEXT NOT NULL REFERENCES center (center_id),
  version BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  organisation TEXT NOT NULL,
  subject TEXT NOT NULL,
  action TEXT NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (center_id, version)
);

-- Versions of the weights; never updated.
CREATE TABLE weights (
  version TEXT NOT NULL PRIMARY KEY,
  effective_from TEXT NOT NULL,
  doc TEXT NOT NULL
);

-- Counts the changes of centers and weights, so that an instance knows whether what it made ready still holds.
CREATE TABLE directory_revision (
  only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
  revision BIGINT NOT NULL
);
INSERT INTO directory_revision (only_row, revision) VALUES (1, 0);

-- A run's inputs and outcome hold clinical data: sealed. Runs older than this have them in doc.
ALTER TABLE match_run ADD COLUMN sealed BYTEA;
ALTER TABLE match_run ADD COLUMN organ TEXT NOT NULL DEFAULT '';
CREATE INDEX match_run_case ON match_run (referral_id, organ, run_at, match_run_id);
