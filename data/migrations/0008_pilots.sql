-- One set of past payments put before several people at once, to see where a guideline leaves them apart. `follows` names
-- the pilot that asked about the same payments before the guideline changed ('' for none); `guideline` is its text.
CREATE TABLE pilots (
    pilot_id VARCHAR NOT NULL, name VARCHAR NOT NULL, opened_by VARCHAR NOT NULL, opened_at TIMESTAMP NOT NULL,
    follows VARCHAR NOT NULL, guideline_version VARCHAR NOT NULL, guideline VARCHAR NOT NULL, closed_at TIMESTAMP
);
CREATE TABLE pilot_tasks (pilot_id VARCHAR NOT NULL, task_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, reviewer VARCHAR NOT NULL);
