-- What insured provinces know of people.
CREATE TABLE entitlement (
    province TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (province, patient_id)
);

-- A row to wait at: what is decided about one person of a province is decided one after another.
CREATE TABLE person (
    province TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (province, patient_id)
);

CREATE TABLE filing (
    filing_id TEXT NOT NULL PRIMARY KEY,
    province TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    referral_id TEXT NOT NULL,
    treatment_city TEXT NOT NULL,
    filed_by TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'CANCELLED')),
    version BIGINT NOT NULL,
    doc TEXT NOT NULL
);

CREATE INDEX filing_by_province ON filing (province, filing_id);
CREATE INDEX filing_by_patient ON filing (province, patient_id, filing_id);
CREATE INDEX filing_by_referral ON filing (referral_id, filing_id);

-- Claims of treatment provinces.
CREATE TABLE claim (
    claim_id TEXT NOT NULL PRIMARY KEY,
    province TEXT NOT NULL,
    insured_province TEXT NOT NULL,
    referral_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    center_id TEXT NOT NULL,
    referrer TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('OPEN', 'DISCHARGED', 'SETTLING', 'SETTLED', 'REVERSING', 'MANUAL')),
    version BIGINT NOT NULL,
    doc TEXT NOT NULL
);

CREATE INDEX claim_by_province ON claim (province, claim_id);
CREATE INDEX claim_by_center ON claim (center_id, claim_id);
CREATE INDEX claim_by_referral ON claim (referral_id, claim_id);
-- A patient lies in one bed: one open claim of a case at a center.
CREATE UNIQUE INDEX claim_open_once ON claim (referral_id, center_id) WHERE status = 'OPEN';

CREATE TABLE fee_line (
    claim_id TEXT NOT NULL REFERENCES claim (claim_id),
    line_number BIGINT NOT NULL,
    item_code TEXT NOT NULL,
    item_name TEXT NOT NULL,
    price BIGINT NOT NULL CHECK (price >= 0),
    quantity_milli BIGINT NOT NULL CHECK (quantity_milli > 0),
    amount BIGINT NOT NULL,
    service_date TEXT NOT NULL,
    refund_of BIGINT NOT NULL,
    PRIMARY KEY (claim_id, line_number),
    CHECK ((refund_of = 0 AND amount >= 0) OR (refund_of <> 0 AND amount <= 0))
);

CREATE TABLE settlement (
    settlement_id TEXT NOT NULL PRIMARY KEY,
    claim_id TEXT NOT NULL REFERENCES claim (claim_id),
    message_id TEXT NOT NULL UNIQUE,
    reversed BOOLEAN NOT NULL,
    settled_at BIGINT NOT NULL,
    doc TEXT NOT NULL
);

-- At most one settlement of a claim stands.
CREATE UNIQUE INDEX settlement_stands_once ON settlement (claim_id) WHERE NOT reversed;

-- What insured provinces were asked to commit.
CREATE TABLE message (
    message_id TEXT NOT NULL PRIMARY KEY CHECK (length(message_id) BETWEEN 16 AND 64),
    province TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('COMMIT', 'REVERSE')),
    status TEXT NOT NULL CHECK (status IN ('COMMITTED', 'REVERSED', 'CLOSED')),
    claim_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    doc TEXT NOT NULL
);

-- However many messages come, a claim is paid for once.
CREATE UNIQUE INDEX message_pays_once ON message (claim_id) WHERE kind = 'COMMIT' AND status = 'COMMITTED';

-- Year counters of insured people.
CREATE TABLE counters (
    province TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    year TEXT NOT NULL,
    version BIGINT NOT NULL,
    deductible BIGINT NOT NULL CHECK (deductible >= 0),
    basic BIGINT NOT NULL CHECK (basic >= 0),
    second_layer BIGINT NOT NULL CHECK (second_layer >= 0),
    assistance BIGINT NOT NULL CHECK (assistance >= 0),
    second_base BIGINT NOT NULL CHECK (second_base >= 0),
    assistance_base BIGINT NOT NULL CHECK (assistance_base >= 0),
    PRIMARY KEY (province, patient_id, year)
);

-- The ledger. Rows are only ever added.
CREATE TABLE ledger_entry (
    entry_id TEXT NOT NULL PRIMARY KEY,
    province TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('insured', 'treatment')),
    kind TEXT NOT NULL CHECK (kind IN ('settlement', 'reversal')),
    source TEXT NOT NULL,
    posted_at BIGINT NOT NULL,
    UNIQUE (province, side, kind, source)
);

CREATE TABLE posting (
    entry_id TEXT NOT NULL REFERENCES ledger_entry (entry_id),
    position BIGINT NOT NULL,
    province TEXT NOT NULL,
    account TEXT NOT NULL,
    debit BIGINT NOT NULL CHECK (debit >= 0),
    credit BIGINT NOT NULL CHECK (credit >= 0),
    PRIMARY KEY (entry_id, position),
    CHECK ((debit = 0) <> (credit = 0))
);

CREATE INDEX posting_by_account ON posting (province, account);
