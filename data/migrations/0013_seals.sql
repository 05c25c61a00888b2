-- What a person with the file alone cannot make: seals under a key that is kept outside the workspace.

-- HMAC under the ledger's key over the event's hash; null for events from before the ledger had a key.
ALTER TABLE events ADD COLUMN seal BLOB;
-- The last row: for each table the number of its rows and a keyed sum over them, as of the last event; mac seals all that.
CREATE TABLE state_seals (event_seq BIGINT NOT NULL, tables VARCHAR NOT NULL, mac BLOB NOT NULL);

-- What was erased, by whom and why; the event's payload has the same. counts is JSON: rows or files by kind.
CREATE TABLE erasures (
    erasure_id VARCHAR NOT NULL, scope VARCHAR NOT NULL, asked_by VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    erased_at TIMESTAMP NOT NULL, counts VARCHAR NOT NULL, event_seq BIGINT NOT NULL
);
