-- What supervision found. A finding is there once for a rule, a claim (or a person's year, or a province) and a cause.
CREATE TABLE supervision_hit (
    hit_id TEXT NOT NULL PRIMARY KEY,
    province TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('INSURED', 'TREATMENT')),
    rule TEXT NOT NULL,
    claim_id TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    cause TEXT NOT NULL,
    holds BOOLEAN NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('OPEN', 'CONFIRMED', 'DISMISSED')),
    version BIGINT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (province, side, rule, claim_id, patient_id, cause)
);

CREATE INDEX supervision_hit_worklist ON supervision_hit (province, state, hit_id);

-- Stays as the insured province committed them, and manual claims it took; the message says whether a stay still stands.
CREATE TABLE supervision_stay (
    message_id TEXT NOT NULL PRIMARY KEY,
    province TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    year TEXT NOT NULL,
    discharge TEXT NOT NULL,
    manual BOOLEAN NOT NULL,
    total BIGINT NOT NULL,
    self_pay BIGINT NOT NULL CHECK (self_pay >= 0),
    kept_at BIGINT NOT NULL,
    doc TEXT NOT NULL
);

CREATE INDEX supervision_stay_person ON supervision_stay (province, patient_id, kept_at);
CREATE INDEX supervision_stay_kept ON supervision_stay (province, kept_at);
CREATE INDEX supervision_stay_discharge ON supervision_stay (province, discharge);

-- Keyed hashes of people's numbers; the numbers are nowhere.
CREATE TABLE supervision_contact (
    province TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    phone TEXT NOT NULL CHECK (length(phone) IN (0, 64)),
    identity TEXT NOT NULL CHECK (length(identity) IN (0, 64)),
    version BIGINT NOT NULL,
    PRIMARY KEY (province, patient_id)
);

CREATE INDEX supervision_contact_phone ON supervision_contact (province, phone) WHERE phone <> '';

-- Days that were looked through.
CREATE TABLE supervision_day (
    province TEXT NOT NULL,
    day TEXT NOT NULL,
    PRIMARY KEY (province, day)
);

CREATE INDEX claim_by_patient ON claim (province, patient_id, claim_id);
CREATE INDEX settlement_by_time ON settlement (settled_at);
