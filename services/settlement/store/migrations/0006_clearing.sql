-- What clearing keeps beside the books: declared tables, tasks, disputes, nets, transfers, agreements, prepayments. They
-- are few and looked up alike. holder is the province whose copy it is.
CREATE TABLE clearing_record (
    kind TEXT NOT NULL,
    holder TEXT NOT NULL,
    record_id TEXT NOT NULL CHECK (length(record_id) BETWEEN 1 AND 160),
    month TEXT NOT NULL,
    a TEXT NOT NULL,
    b TEXT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (kind, holder, record_id)
);

CREATE INDEX clearing_record_by_month ON clearing_record (kind, holder, month, record_id);
CREATE INDEX clearing_record_by_status ON clearing_record (kind, holder, status, record_id);
