-- One row a person. sealed holds name, number, phone and guardian, encrypted; the two indexes find it again.
CREATE TABLE patient (
  patient_id TEXT NOT NULL PRIMARY KEY,
  registered_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  doc TEXT NOT NULL
);
CREATE INDEX patient_registered_by ON patient (registered_by, patient_id);

-- A person's blind index values; kind is number or person. The value is the key: one person once, whatever the race.
CREATE TABLE patient_index (
  kind TEXT NOT NULL,
  value BYTEA NOT NULL,
  patient_id TEXT NOT NULL REFERENCES patient (patient_id),
  PRIMARY KEY (kind, value)
);
CREATE INDEX patient_index_patient ON patient_index (patient_id);

-- Organisations a case gave access to.
CREATE TABLE patient_access (
  patient_id TEXT NOT NULL REFERENCES patient (patient_id),
  organisation TEXT NOT NULL,
  referral_id TEXT NOT NULL,
  granted_at BIGINT NOT NULL,
  PRIMARY KEY (patient_id, organisation)
);
CREATE INDEX patient_access_organisation ON patient_access (organisation, patient_id);

-- Versions of clinical data; never updated.
CREATE TABLE clinical (
  patient_id TEXT NOT NULL REFERENCES patient (patient_id),
  organ TEXT NOT NULL,
  version BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  recorded_by TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (patient_id, organ, version)
);
