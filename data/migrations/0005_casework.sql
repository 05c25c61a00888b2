-- Work shared among people: queues apart from segments, assigned and snoozed tasks, cases of several payments, notes,
-- files, flags for the right person's inbox, and webhooks sent from an outbox.

-- `queue` is where a task waits; `segment` is the part of the policy whose deadline and timeout apply.
ALTER TABLE tasks ADD COLUMN segment VARCHAR DEFAULT '';
-- Who alone may take it ('' for anybody), not before when, and how much of the time since the claim was idle.
ALTER TABLE tasks ADD COLUMN assignee VARCHAR DEFAULT '';
ALTER TABLE tasks ADD COLUMN snoozed_until TIMESTAMP;
ALTER TABLE tasks ADD COLUMN active_at TIMESTAMP;
ALTER TABLE tasks ADD COLUMN idle_seconds DOUBLE DEFAULT 0;

ALTER TABLE cases ADD COLUMN segment VARCHAR DEFAULT '';
-- The payment the case was opened on.
ALTER TABLE cases ADD COLUMN transaction_seq BIGINT DEFAULT 0;
-- Each payment of a case is settled by itself; `reason` says why it joined.
ALTER TABLE case_transactions ADD COLUMN verdict VARCHAR DEFAULT '';
ALTER TABLE case_transactions ADD COLUMN settled_at TIMESTAMP;
ALTER TABLE case_transactions ADD COLUMN reason VARCHAR DEFAULT '';
ALTER TABLE case_transactions ADD COLUMN amount_minor BIGINT DEFAULT 0;

-- Whether the alert deserved a review ('' unasked), the amount at loss, idle time, and the verdict this one was
-- applied from ('' when it was given on its own).
ALTER TABLE verdicts ADD COLUMN deserved VARCHAR DEFAULT '';
ALTER TABLE verdicts ADD COLUMN loss_minor BIGINT;
ALTER TABLE verdicts ADD COLUMN idle_seconds DOUBLE DEFAULT 0;
ALTER TABLE verdicts ADD COLUMN applied_from VARCHAR DEFAULT '';

UPDATE tasks SET segment = queue;
UPDATE cases SET segment = queue;
UPDATE cases SET transaction_seq = (SELECT min(x.transaction_seq) FROM case_transactions x WHERE x.case_id = cases.case_id);
UPDATE case_transactions SET verdict = (SELECT c.verdict FROM cases c WHERE c.case_id = case_transactions.case_id),
    settled_at = (SELECT c.closed_at FROM cases c WHERE c.case_id = case_transactions.case_id),
    amount_minor = (SELECT c.amount_minor FROM cases c WHERE c.case_id = case_transactions.case_id);

-- What a reviewer may be given: one row a person, replaced when it changes.
CREATE TABLE reviewers (
    user_id VARCHAR NOT NULL, teams VARCHAR[] NOT NULL, languages VARCHAR[] NOT NULL, held_limit BIGINT NOT NULL,
    away_until TIMESTAMP
);
CREATE TABLE escalations (
    task_id VARCHAR NOT NULL, adjudication_id VARCHAR NOT NULL, case_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL,
    reviewer VARCHAR NOT NULL, note VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL
);
CREATE TABLE case_links (case_id VARCHAR NOT NULL, other_id VARCHAR NOT NULL, reason VARCHAR NOT NULL, linked_by VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL);

-- Notes and files hang on a payment: case_id is '' for a task without a case. A file's bytes lie in the workspace
-- under their hash; `removed_at` says when retention took them.
CREATE TABLE notes (
    note_id VARCHAR NOT NULL, case_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, author VARCHAR NOT NULL,
    content VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL
);
CREATE TABLE files (
    file_id VARCHAR NOT NULL, case_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, author VARCHAR NOT NULL,
    name VARCHAR NOT NULL, media_type VARCHAR NOT NULL, bytes BIGINT NOT NULL, sha256 VARCHAR NOT NULL,
    "at" TIMESTAMP NOT NULL, removed_at TIMESTAMP
);
-- What a reviewer found wrong, for the role that can put it right.
CREATE TABLE flags (
    flag_id VARCHAR NOT NULL, verdict_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, kind VARCHAR NOT NULL,
    role VARCHAR NOT NULL, detail VARCHAR NOT NULL, raised_by VARCHAR NOT NULL, raised_at TIMESTAMP NOT NULL,
    answer VARCHAR NOT NULL, answered_by VARCHAR NOT NULL, answered_at TIMESTAMP
);

-- Where to send what happens to payments. The secret is derived from the workspace's key and never stored.
CREATE TABLE webhooks (
    webhook_id VARCHAR NOT NULL, url VARCHAR NOT NULL, created_by VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL,
    removed_at TIMESTAMP
);
-- The outbox: one row a message and webhook, written with the disposition it tells of.
CREATE TABLE deliveries (
    delivery_id VARCHAR NOT NULL, webhook_id VARCHAR NOT NULL, message_id VARCHAR NOT NULL, body VARCHAR NOT NULL,
    status VARCHAR NOT NULL, attempts BIGINT NOT NULL, created_at TIMESTAMP NOT NULL, due_at TIMESTAMP NOT NULL,
    answered_at TIMESTAMP, last_answer VARCHAR NOT NULL
);
