-- One row a case. doc holds it whole; the columns are what is looked up or constrained.
CREATE TABLE referral (
	id TEXT NOT NULL PRIMARY KEY,
	version BIGINT NOT NULL,
	locks BIGINT NOT NULL,
	patient_id TEXT NOT NULL,
	organ TEXT NOT NULL,
	state TEXT NOT NULL,
	live BOOLEAN NOT NULL,
	busy BOOLEAN NOT NULL,
	referrer TEXT NOT NULL,
	asked_center TEXT NOT NULL,
	center TEXT NOT NULL,
	local_hospital TEXT NOT NULL,
	-- the largest number when no clock runs: such cases come last
	deadline BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	doc TEXT NOT NULL
);
-- One live case for a patient and an organ.
CREATE UNIQUE INDEX referral_live ON referral (patient_id, organ) WHERE live;
CREATE INDEX referral_state ON referral (state, deadline, id);
CREATE INDEX referral_updated ON referral (updated, id);
CREATE INDEX referral_referrer ON referral (referrer, id);
CREATE INDEX referral_asked ON referral (asked_center, id);
CREATE INDEX referral_center ON referral (center, id);
CREATE INDEX referral_local ON referral (local_hospital, id);

CREATE TABLE timeline (
	referral_id TEXT NOT NULL REFERENCES referral (id),
	sequence BIGINT NOT NULL CHECK (sequence > 0),
	position BIGINT NOT NULL UNIQUE,
	doc TEXT NOT NULL,
	PRIMARY KEY (referral_id, sequence)
);

-- Which organisation finds which position on its feed.
CREATE TABLE feed_scope (
	organisation TEXT NOT NULL,
	position BIGINT NOT NULL,
	PRIMARY KEY (organisation, position)
);

-- The end of the feed, and the last time given to a change.
CREATE TABLE feed_head (
	id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	n BIGINT NOT NULL,
	at BIGINT NOT NULL
);
INSERT INTO feed_head (id, n, at) VALUES (1, 0, 0);
