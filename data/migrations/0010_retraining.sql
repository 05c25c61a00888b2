-- Retraining at work for months: why a run was asked for and who ended it, who let a model decide, pauses of jobs that
-- outlive a restart, which flips a signer has opened, and what a model on trial said of each payment.

ALTER TABLE retrains ADD COLUMN reason VARCHAR DEFAULT '';
ALTER TABLE retrains ADD COLUMN cancelled_by VARCHAR DEFAULT '';

-- Who let it decide ('gates' where the policy leaves it to them), when, and in which words; of the latest time it was.
ALTER TABLE models ADD COLUMN approved_by VARCHAR DEFAULT '';
ALTER TABLE models ADD COLUMN approved_at TIMESTAMP;
ALTER TABLE models ADD COLUMN approval VARCHAR DEFAULT '';
ALTER TABLE models ADD COLUMN rolled_back BOOLEAN DEFAULT false;

-- A job is paused while its last row has no resumed_at.
CREATE TABLE job_pauses (
    job VARCHAR NOT NULL, paused_at TIMESTAMP NOT NULL, paused_by VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    resumed_at TIMESTAMP, resumed_by VARCHAR NOT NULL, resumed_reason VARCHAR NOT NULL
);

-- A payment that champion and challenger would decide differently, opened by somebody who may sign the challenger off.
CREATE TABLE flip_views (
    model_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, seen_by VARCHAR NOT NULL, seen_at TIMESTAMP NOT NULL
);

ALTER TABLE trial_answers ADD COLUMN probability DOUBLE;
