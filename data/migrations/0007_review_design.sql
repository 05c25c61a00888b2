-- How reviews are drawn and reviewers measured: arms as a draw, golden cases, newcomers, second thoughts after the score.

-- With which probability the task got its display arm.
ALTER TABLE tasks ADD COLUMN arm_probability DOUBLE DEFAULT 1.0;
-- 'training' while somebody works past cases only; since when, and what was said when that began or ended.
ALTER TABLE reviewers ADD COLUMN status VARCHAR DEFAULT 'qualified';
ALTER TABLE reviewers ADD COLUMN status_since TIMESTAMP;

-- Past payments whose truth is known, which reviewers are measured on. `dossier_id` is the snapshot that is shown again;
-- `basis` is outcome_and_adjudication or nominated. Retired ones are not shown again.
CREATE TABLE golden_cases (
    golden_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, dossier_id VARCHAR NOT NULL, is_fraud BOOLEAN NOT NULL,
    basis VARCHAR NOT NULL, reason VARCHAR NOT NULL, added_by VARCHAR NOT NULL, added_at TIMESTAMP NOT NULL,
    retired_at TIMESTAMP, retired_because VARCHAR NOT NULL
);
-- What the author of a blind verdict says after seeing the engine's opinion. The verdict itself stays as it was given.
CREATE TABLE revisions (
    verdict_id VARCHAR NOT NULL, task_id VARCHAR NOT NULL, case_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL,
    reviewer VARCHAR NOT NULL, was VARCHAR NOT NULL, value VARCHAR NOT NULL, confidence VARCHAR NOT NULL,
    note VARCHAR NOT NULL, seconds DOUBLE NOT NULL, given_at TIMESTAMP NOT NULL
);
