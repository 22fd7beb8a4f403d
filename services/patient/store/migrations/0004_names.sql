-- The blind index of names, for search. Several people may have one name, so that it is no key; a record registered before
-- this table is brought in by a job.
CREATE TABLE patient_name (
  value BYTEA NOT NULL,
  patient_id TEXT NOT NULL REFERENCES patient (patient_id),
  PRIMARY KEY (value, patient_id)
);
CREATE INDEX patient_name_patient ON patient_name (patient_id);
