-- Books: the ledger of a province, one for each side it plays, chained entry by entry and cut into clearing windows.
-- An entry carries its business day and the province at its other end, and may be of more kinds.
CREATE TABLE book_entry (
    entry_id TEXT NOT NULL PRIMARY KEY,
    province TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('insured', 'treatment')),
    kind TEXT NOT NULL CHECK (kind IN ('settlement', 'reversal', 'prepayment', 'netting', 'payment')),
    source TEXT NOT NULL,
    counterparty TEXT NOT NULL DEFAULT '',
    day TEXT NOT NULL DEFAULT '',
    posted_at BIGINT NOT NULL,
    UNIQUE (province, side, kind, source)
);

INSERT INTO book_entry (entry_id, province, side, kind, source, counterparty, posted_at)
SELECT e.entry_id, e.province, e.side, e.kind, e.source, coalesce((
    SELECT substr(p.account, CASE WHEN e.side = 'insured' THEN 16 ELSE 19 END, 6) FROM posting p
    WHERE p.entry_id = e.entry_id AND (p.account LIKE 'payable:%' OR p.account LIKE 'receivable:%') LIMIT 1), ''), e.posted_at
FROM ledger_entry e;

CREATE TABLE book_posting (
    entry_id TEXT NOT NULL REFERENCES book_entry (entry_id),
    position BIGINT NOT NULL,
    province TEXT NOT NULL,
    account TEXT NOT NULL,
    debit BIGINT NOT NULL CHECK (debit >= 0),
    credit BIGINT NOT NULL CHECK (credit >= 0),
    PRIMARY KEY (entry_id, position),
    CHECK ((debit = 0) <> (credit = 0))
);

INSERT INTO book_posting (entry_id, position, province, account, debit, credit)
SELECT entry_id, position, province, account, debit, credit FROM posting;

DROP TABLE posting;
DROP TABLE ledger_entry;
ALTER TABLE book_entry RENAME TO ledger_entry;
ALTER TABLE book_posting RENAME TO posting;

-- What was posted and has no place in its book yet. Posting only adds a row here, so that settlements of one province do
-- not wait for one another; who gives places takes it away.
CREATE TABLE ledger_tail (
    entry_id TEXT NOT NULL PRIMARY KEY REFERENCES ledger_entry (entry_id),
    province TEXT NOT NULL,
    side TEXT NOT NULL,
    clears BIGINT NOT NULL,
    digest TEXT NOT NULL
);

CREATE INDEX ledger_tail_by_book ON ledger_tail (province, side, entry_id);

-- Entries of before have no digest yet: who gives them their place makes it.
INSERT INTO ledger_tail (entry_id, province, side, clears, digest)
SELECT entry_id, province, side, 0, '' FROM ledger_entry;

-- The head of a book; whoever gives places updates it first.
CREATE TABLE ledger_book (
    province TEXT NOT NULL,
    side TEXT NOT NULL,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (province, side)
);

-- The places. Rows are only ever added.
CREATE TABLE ledger_link (
    province TEXT NOT NULL,
    side TEXT NOT NULL,
    seq BIGINT NOT NULL,
    entry_id TEXT NOT NULL,
    hash TEXT NOT NULL CHECK (length(hash) = 64),
    PRIMARY KEY (province, side, seq)
);

-- Sums of what has a place: a balance is this and the tail.
CREATE TABLE ledger_balance (
    province TEXT NOT NULL,
    side TEXT NOT NULL,
    account TEXT NOT NULL,
    debit BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    PRIMARY KEY (province, side, account)
);

-- Settlements and reversals as they are cleared: each in one month's window.
CREATE TABLE clearing_item (
    province TEXT NOT NULL,
    side TEXT NOT NULL,
    counterparty TEXT NOT NULL,
    day TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    month TEXT NOT NULL CHECK (length(month) = 7),
    clears BIGINT NOT NULL,
    PRIMARY KEY (province, side, counterparty, day, source, kind)
);

-- Their sums, by window and business day.
CREATE TABLE clearing_total (
    province TEXT NOT NULL,
    side TEXT NOT NULL,
    counterparty TEXT NOT NULL,
    month TEXT NOT NULL,
    day TEXT NOT NULL,
    items BIGINT NOT NULL,
    clears BIGINT NOT NULL,
    PRIMARY KEY (province, side, counterparty, month, day)
);

-- The last month that takes nothing any more: of a treatment province for all others (counterparty ''), of an insured
-- province for each treatment province by itself.
CREATE TABLE clearing_closed (
    province TEXT NOT NULL,
    side TEXT NOT NULL,
    counterparty TEXT NOT NULL,
    month TEXT NOT NULL,
    PRIMARY KEY (province, side, counterparty)
);
