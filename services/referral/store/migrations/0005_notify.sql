-- Where facilities' systems are told. doc holds what is not looked up.
CREATE TABLE notify_endpoint (
	id TEXT NOT NULL PRIMARY KEY,
	organisation TEXT NOT NULL,
	status TEXT NOT NULL,
	version BIGINT NOT NULL,
	locks BIGINT NOT NULL,
	-- the feed's position up to which messages were made
	cursor BIGINT NOT NULL,
	-- 0: it may be sent to now
	not_before BIGINT NOT NULL,
	failing BOOLEAN NOT NULL,
	doc TEXT NOT NULL
);
CREATE INDEX notify_endpoint_organisation ON notify_endpoint (organisation, id);
CREATE INDEX notify_endpoint_active ON notify_endpoint (not_before, id) WHERE status = 'ACTIVE';

-- One message to one endpoint. body is sent byte for byte.
CREATE TABLE notify_delivery (
	id TEXT NOT NULL PRIMARY KEY,
	endpoint_id TEXT NOT NULL REFERENCES notify_endpoint (id),
	organisation TEXT NOT NULL,
	type TEXT NOT NULL,
	referral_id TEXT NOT NULL,
	position BIGINT NOT NULL,
	sequence BIGINT NOT NULL,
	apart BOOLEAN NOT NULL,
	status TEXT NOT NULL,
	attempts BIGINT NOT NULL,
	tries BIGINT NOT NULL,
	replays BIGINT NOT NULL,
	last_outcome TEXT NOT NULL,
	last_status BIGINT NOT NULL,
	first_at BIGINT NOT NULL,
	ever_at BIGINT NOT NULL,
	last_at BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	created BIGINT NOT NULL,
	trace_id TEXT NOT NULL,
	body BYTEA NOT NULL
);
-- One message of an event to an endpoint; tests have no event.
CREATE UNIQUE INDEX notify_delivery_event ON notify_delivery (endpoint_id, position) WHERE position > 0;
CREATE INDEX notify_delivery_due ON notify_delivery (endpoint_id, next_at, position) WHERE status = 'PENDING';
CREATE INDEX notify_delivery_case_due ON notify_delivery (endpoint_id, referral_id, position) WHERE status = 'PENDING' AND NOT apart;
CREATE INDEX notify_delivery_oldest ON notify_delivery (created) WHERE status = 'PENDING';
CREATE INDEX notify_delivery_dead ON notify_delivery (endpoint_id, id) WHERE status = 'DEAD';
CREATE INDEX notify_delivery_endpoint ON notify_delivery (endpoint_id, id);
CREATE INDEX notify_delivery_organisation ON notify_delivery (organisation, id);
CREATE INDEX notify_delivery_case ON notify_delivery (referral_id, id);

CREATE TABLE notify_attempt (
	delivery_id TEXT NOT NULL REFERENCES notify_delivery (id),
	number BIGINT NOT NULL,
	sent BIGINT NOT NULL,
	outcome TEXT NOT NULL,
	status BIGINT NOT NULL,
	took BIGINT NOT NULL,
	trace_id TEXT NOT NULL,
	PRIMARY KEY (delivery_id, number)
);

-- What a facility was told. opened is 0 until somebody of it opens it.
CREATE TABLE notify_notice (
	id TEXT NOT NULL PRIMARY KEY,
	organisation TEXT NOT NULL,
	referral_id TEXT NOT NULL,
	position BIGINT NOT NULL,
	code TEXT NOT NULL,
	opened BIGINT NOT NULL,
	opened_by TEXT NOT NULL,
	doc TEXT NOT NULL,
	UNIQUE (organisation, position, code)
);
CREATE INDEX notify_notice_box ON notify_notice (organisation, id);
CREATE INDEX notify_notice_unread ON notify_notice (organisation, id) WHERE opened = 0;
CREATE INDEX notify_notice_case ON notify_notice (referral_id, id);

-- The feed's position up to which notices were made: what happened before there were inboxes is told to nobody.
CREATE TABLE notify_told (
	id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	n BIGINT NOT NULL
);
INSERT INTO notify_told (id, n) SELECT 1, n FROM feed_head WHERE id = 1;
