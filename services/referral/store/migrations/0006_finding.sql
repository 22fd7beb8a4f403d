-- A step of the line that needs a person.
ALTER TABLE referral ADD COLUMN attention BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX referral_attention ON referral (deadline, id) WHERE attention;

-- The cases of a patient, the closed ones too.
CREATE INDEX referral_patient ON referral (patient_id, id);

-- What an organisation polls: its cases in the order of their changes.
CREATE INDEX referral_referrer_updated ON referral (referrer, updated, id);
CREATE INDEX referral_center_updated ON referral (center, updated, id) WHERE center <> '';
CREATE INDEX referral_local_updated ON referral (local_hospital, updated, id) WHERE local_hospital <> '';

-- A manual claim of a closed case fails no more.
UPDATE referral SET claim_stage = '' WHERE claim_stage = 'CLAIM_MANUAL' AND NOT live;

-- Writers lock this table first, so that they take turns; nothing is in it.
CREATE TABLE feed_turn (id BIGINT NOT NULL PRIMARY KEY);
