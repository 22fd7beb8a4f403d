-- What waits for its place carries all that giving it takes, so that nothing else is read then. Empty: posted before.
ALTER TABLE ledger_tail ADD COLUMN entry TEXT NOT NULL DEFAULT '';
