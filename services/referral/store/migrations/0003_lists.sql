-- How the bill stands, for the list of settlements that fail.
ALTER TABLE referral ADD COLUMN claim_stage TEXT NOT NULL DEFAULT '';
CREATE INDEX referral_claim ON referral (claim_stage, deadline, id) WHERE claim_stage <> '';

-- An organisation's lists are read in the order of the deadlines, state by state.
CREATE INDEX referral_referrer_list ON referral (referrer, state, deadline, id);
CREATE INDEX referral_center_list ON referral (center, state, deadline, id) WHERE center <> '';
CREATE INDEX referral_local_list ON referral (local_hospital, state, deadline, id) WHERE local_hospital <> '';

-- The organisations of an open consultation's panel.
CREATE TABLE referral_panel (
	organisation TEXT NOT NULL,
	referral_id TEXT NOT NULL REFERENCES referral (id),
	PRIMARY KEY (organisation, referral_id)
);
CREATE INDEX referral_panel_case ON referral_panel (referral_id);

-- Other institutions' numbers of a case.
CREATE TABLE referral_number (
	number TEXT NOT NULL,
	organisation TEXT NOT NULL,
	referral_id TEXT NOT NULL REFERENCES referral (id),
	PRIMARY KEY (number, organisation, referral_id)
);
CREATE INDEX referral_number_case ON referral_number (referral_id);
