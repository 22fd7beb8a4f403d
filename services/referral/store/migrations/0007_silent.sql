-- Whether an organisation of a panel still has an expert without an opinion, and who has given theirs.
ALTER TABLE referral_panel ADD COLUMN silent BOOLEAN NOT NULL DEFAULT TRUE;
CREATE TABLE referral_opinion (
	organisation TEXT NOT NULL,
	subject TEXT NOT NULL,
	referral_id TEXT NOT NULL REFERENCES referral (id),
	PRIMARY KEY (organisation, subject, referral_id)
);
CREATE INDEX referral_opinion_case ON referral_opinion (referral_id);
