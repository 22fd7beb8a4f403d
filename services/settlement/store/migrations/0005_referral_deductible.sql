-- What the stays of a case were charged as deductible, for policies that continue it from one hospital to the next.
ALTER TABLE message ADD COLUMN referral_id TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN deductible BIGINT NOT NULL DEFAULT 0 CHECK (deductible >= 0);
CREATE INDEX message_referral ON message (province, referral_id) WHERE kind = 'COMMIT' AND status = 'COMMITTED' AND referral_id <> '';
