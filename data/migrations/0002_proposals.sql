-- A change of any file of the set (rules, features, policy, lists, guidelines), from proposing it to what became of it.
-- changes is JSON: for each path what happens to it and the hash of its content before and after ('' for none);
-- content_sha256 is the hash over them, which an approval must name. authors are everybody who wrote a part of it.
-- status is open, approved, rejected, withdrawn or replaced. evidence is JSON, as it was when the change was proposed.
CREATE TABLE proposals (
    proposal_id VARCHAR NOT NULL, content_sha256 VARCHAR NOT NULL, base_set_id VARCHAR NOT NULL, changes VARCHAR NOT NULL,
    author VARCHAR NOT NULL, authors VARCHAR[] NOT NULL, origin VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    override_reason VARCHAR NOT NULL, evidence VARCHAR NOT NULL, proposed_at TIMESTAMP NOT NULL, replaces VARCHAR NOT NULL,
    status VARCHAR NOT NULL, settled_by VARCHAR NOT NULL, settled_at TIMESTAMP, settled_reason VARCHAR NOT NULL,
    set_id VARCHAR NOT NULL, event_seq BIGINT NOT NULL
);
