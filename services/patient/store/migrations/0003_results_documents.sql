-- Results of examinations; never updated. sealed holds value, text and method.
CREATE TABLE result (
  result_id TEXT NOT NULL PRIMARY KEY,
  patient_id TEXT NOT NULL REFERENCES patient (patient_id),
  item_code TEXT NOT NULL,
  performed_on TEXT NOT NULL,
  doc TEXT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX result_patient ON result (patient_id, performed_on, result_id);

-- What hospitals made of them; a later judgement of the same hospital replaces an earlier one. comment is sealed.
CREATE TABLE judgement (
  result_id TEXT NOT NULL REFERENCES result (result_id),
  organisation TEXT NOT NULL,
  number BIGINT NOT NULL,
  replaced BOOLEAN NOT NULL,
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  judged_at BIGINT NOT NULL,
  month TEXT NOT NULL,
  avoided_fen BIGINT NOT NULL,
  catalogue TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (result_id, organisation, number)
);
CREATE INDEX judgement_month ON judgement (month, organisation);

-- Documents; what they contain stands in pieces beside them, encrypted, and is deleted when infected or withdrawn.
CREATE TABLE document (
  document_id TEXT NOT NULL PRIMARY KEY,
  patient_id TEXT NOT NULL REFERENCES patient (patient_id),
  status TEXT NOT NULL,
  size BIGINT NOT NULL,
  uploaded_at BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE INDEX document_patient ON document (patient_id, uploaded_at);

CREATE TABLE document_piece (
  document_id TEXT NOT NULL REFERENCES document (document_id),
  number BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (document_id, number)
);
