-- How long before a time what is reserved for it is free for own use; 0: never.
ALTER TABLE quota ADD COLUMN release_micros BIGINT NOT NULL DEFAULT 0;

-- Whoever had a unit on loan had its reservations of that time.
CREATE INDEX loan_had ON loan (resource_id, start_at) WHERE owed_micros > 0;
