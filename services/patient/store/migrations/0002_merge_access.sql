-- The record a merged one is kept under (the root of what was merged, never a merged one itself); empty: its own.
ALTER TABLE patient ADD COLUMN merged_into TEXT NOT NULL DEFAULT '';
CREATE INDEX patient_merged ON patient (merged_into, patient_id) WHERE merged_into <> '';

-- Merges, one row each; ended_at 0 while it holds. The rows that hold are the tree that merged_into shortens.
CREATE TABLE patient_merge (
  merge_id TEXT NOT NULL PRIMARY KEY,
  survivor TEXT NOT NULL REFERENCES patient (patient_id),
  merged TEXT NOT NULL REFERENCES patient (patient_id),
  merged_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX patient_merge_holds ON patient_merge (merged) WHERE ended_at = 0;
CREATE INDEX patient_merge_survivor ON patient_merge (survivor, merged_at);
CREATE INDEX patient_merge_merged ON patient_merge (merged, merged_at);

-- Organisations a case gave access to; revoked_at 0 while it holds. One row a case, so that the end of one case's offer
-- leaves what another case gave.
CREATE TABLE access_grant (
  patient_id TEXT NOT NULL REFERENCES patient (patient_id),
  organisation TEXT NOT NULL,
  referral_id TEXT NOT NULL,
  granted_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (patient_id, organisation, referral_id)
);
CREATE INDEX access_grant_organisation ON access_grant (organisation, patient_id) WHERE revoked_at = 0;
INSERT INTO access_grant (patient_id, organisation, referral_id, granted_at, revoked_at, reason)
  SELECT patient_id, organisation, referral_id, granted_at, 0, '' FROM patient_access;
DROP TABLE patient_access;
