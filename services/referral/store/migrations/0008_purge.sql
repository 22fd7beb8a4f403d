-- What was delivered long ago is found to be removed.
CREATE INDEX notify_delivery_delivered ON notify_delivery (last_at, id) WHERE status = 'DELIVERED';
