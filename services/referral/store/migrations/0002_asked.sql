-- The centers that have an open offer of a case: several where the offer rules ask several at once.
CREATE TABLE asked (
	center TEXT NOT NULL,
	referral_id TEXT NOT NULL REFERENCES referral (id),
	PRIMARY KEY (center, referral_id)
);
CREATE INDEX asked_by_case ON asked (referral_id);
INSERT INTO asked (center, referral_id) SELECT asked_center, id FROM referral WHERE asked_center <> '';
