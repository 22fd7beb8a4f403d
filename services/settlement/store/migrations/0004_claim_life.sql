-- Columns are added, none is changed: the version before goes on beside this one. A cancelled claim keeps its last status
-- in the column that knows no other.
ALTER TABLE claim ADD COLUMN kind TEXT NOT NULL DEFAULT 'INPATIENT' CHECK (kind IN ('INPATIENT', 'OUTPATIENT'));
ALTER TABLE claim ADD COLUMN cancelled BOOLEAN NOT NULL DEFAULT FALSE;
-- Microseconds since a step began whose outcome is not known; 0 when none is under way.
ALTER TABLE claim ADD COLUMN under_way_since BIGINT NOT NULL DEFAULT 0;

-- A patient lies in one bed; an outpatient comes several times.
DROP INDEX claim_open_once;
CREATE UNIQUE INDEX claim_one_bed ON claim (referral_id, center_id) WHERE status = 'OPEN' AND kind = 'INPATIENT' AND NOT cancelled;
CREATE INDEX claim_under_way ON claim (province, under_way_since, claim_id) WHERE under_way_since <> 0;

-- Fee lines that were taken back, by the version of the claim that took them.
CREATE TABLE fee_line_recalled (
    claim_id TEXT NOT NULL REFERENCES claim (claim_id),
    recall BIGINT NOT NULL,
    line_number BIGINT NOT NULL,
    item_code TEXT NOT NULL,
    item_name TEXT NOT NULL,
    price BIGINT NOT NULL,
    quantity_milli BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    service_date TEXT NOT NULL,
    refund_of BIGINT NOT NULL,
    PRIMARY KEY (claim_id, recall, line_number)
);

-- One row a claim at its insured province: the two ways of paying it wait for one another here.
CREATE TABLE claim_way (
    claim_id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);

CREATE TABLE manual_claim (
    claim_id TEXT NOT NULL PRIMARY KEY,
    province TEXT NOT NULL,
    doc TEXT NOT NULL
);

CREATE TABLE preauthorisation (
    preauthorisation_id TEXT NOT NULL PRIMARY KEY,
    province TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    referral_id TEXT NOT NULL,
    center_id TEXT NOT NULL,
    year TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'USED', 'CANCELLED', 'EXPIRED')),
    expires_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL
);

CREATE INDEX preauthorisation_live ON preauthorisation (province, patient_id) WHERE status IN ('ACTIVE', 'USED');
-- Of a case at a center one is live.
CREATE UNIQUE INDEX preauthorisation_once ON preauthorisation (referral_id, center_id) WHERE status = 'ACTIVE';
