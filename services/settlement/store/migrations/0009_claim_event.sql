-- What the case is owed of a claim, in order, until it was told.
CREATE TABLE claim_event (
	claim_id TEXT NOT NULL,
	number BIGINT NOT NULL,
	doc TEXT NOT NULL,
	PRIMARY KEY (claim_id, number)
);
