-- Where a diverted patient was taken: that hospital finds the transfer too.
ALTER TABLE transfer ADD COLUMN diverted_to TEXT NOT NULL DEFAULT '';

CREATE INDEX transfer_by_diversion ON transfer (diverted_to) WHERE diverted_to <> '';
