-- What figures count; the facts of a case are made anew whenever it changes. ended is 0 and month empty while it goes on.
CREATE TABLE figure (
	referral_id TEXT NOT NULL REFERENCES referral (id),
	kind TEXT NOT NULL,
	item TEXT NOT NULL,
	name TEXT NOT NULL,
	reason TEXT NOT NULL,
	month TEXT NOT NULL,
	line TEXT NOT NULL,
	insured TEXT NOT NULL,
	treatment TEXT NOT NULL,
	center TEXT NOT NULL,
	referrer TEXT NOT NULL,
	organ TEXT NOT NULL,
	began BIGINT NOT NULL,
	ended BIGINT NOT NULL,
	late BIGINT NOT NULL,
	measure BIGINT NOT NULL,
	paused BIGINT NOT NULL,
	total BIGINT NOT NULL,
	PRIMARY KEY (referral_id, kind, item)
);
CREATE INDEX figure_month ON figure (month, kind);
CREATE INDEX figure_center ON figure (center, month) WHERE center <> '';
CREATE INDEX figure_referrer ON figure (referrer, month);

-- How far the feed has been folded, and by which rules.
CREATE TABLE figure_head (
	id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	position BIGINT NOT NULL,
	rules TEXT NOT NULL
);
INSERT INTO figure_head (id, position, rules) VALUES (1, 0, '');
