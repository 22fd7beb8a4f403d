-- The sums of the year that further layers and outpatient special diseases need.
ALTER TABLE counters ADD COLUMN basic_base BIGINT NOT NULL DEFAULT 0 CHECK (basic_base >= 0);
ALTER TABLE counters ADD COLUMN outpatient_deductible BIGINT NOT NULL DEFAULT 0 CHECK (outpatient_deductible >= 0);
ALTER TABLE counters ADD COLUMN outpatient_base BIGINT NOT NULL DEFAULT 0 CHECK (outpatient_base >= 0);
ALTER TABLE counters ADD COLUMN outpatient BIGINT NOT NULL DEFAULT 0 CHECK (outpatient >= 0);
ALTER TABLE counters ADD COLUMN civil_servant_base BIGINT NOT NULL DEFAULT 0 CHECK (civil_servant_base >= 0);
ALTER TABLE counters ADD COLUMN civil_servant BIGINT NOT NULL DEFAULT 0 CHECK (civil_servant >= 0);
ALTER TABLE counters ADD COLUMN tilt_base BIGINT NOT NULL DEFAULT 0 CHECK (tilt_base >= 0);
ALTER TABLE counters ADD COLUMN tilt BIGINT NOT NULL DEFAULT 0 CHECK (tilt >= 0);
ALTER TABLE counters ADD COLUMN commercial_base BIGINT NOT NULL DEFAULT 0 CHECK (commercial_base >= 0);
ALTER TABLE counters ADD COLUMN commercial BIGINT NOT NULL DEFAULT 0 CHECK (commercial >= 0);
ALTER TABLE counters ADD COLUMN charity_base BIGINT NOT NULL DEFAULT 0 CHECK (charity_base >= 0);
ALTER TABLE counters ADD COLUMN charity BIGINT NOT NULL DEFAULT 0 CHECK (charity >= 0);
ALTER TABLE counters ADD COLUMN grant_base BIGINT NOT NULL DEFAULT 0 CHECK (grant_base >= 0);
ALTER TABLE counters ADD COLUMN grant_paid BIGINT NOT NULL DEFAULT 0 CHECK (grant_paid >= 0);
ALTER TABLE counters ADD COLUMN personal_account BIGINT NOT NULL DEFAULT 0 CHECK (personal_account >= 0);
