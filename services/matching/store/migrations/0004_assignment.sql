-- Proposals for all waiting cases. locks counts who held the row; the version clients see is in doc.
CREATE TABLE assignment (
  assignment_id TEXT NOT NULL PRIMARY KEY,
  locks BIGINT NOT NULL,
  doc TEXT NOT NULL
);

-- The cases of a proposal.
CREATE TABLE assigned_case (
  assignment_id TEXT NOT NULL REFERENCES assignment (assignment_id),
  referral_id TEXT NOT NULL,
  placed BOOLEAN NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (assignment_id, referral_id)
);
