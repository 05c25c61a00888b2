-- The ledger as first released. Tables other than `events` are projections of events, kept for querying.
-- No primary key or unique index on tables that grow: with 10 M rows they double the cost of a commit.
-- Times are UTC without zone, in microseconds. Identifiers ending in _id are text; `seq` is a count from 1.

-- Every change of anything, hash-chained. payload is canonical JSON; commitments maps a personal field to
-- sha256(salt || value), so that erasing the value leaves the chain whole.
CREATE TABLE events (
    seq BIGINT NOT NULL, recorded_at TIMESTAMP NOT NULL, actor VARCHAR NOT NULL, kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL, payload BLOB NOT NULL, commitments BLOB NOT NULL,
    prev_hash BLOB NOT NULL, hash BLOB NOT NULL
);

-- Personal values, erasable: owner is 'transaction:<seq>' or 'event:<seq>'.
CREATE TABLE personal_values (owner VARCHAR NOT NULL, field VARCHAR NOT NULL, salt BLOB NOT NULL, value VARCHAR NOT NULL);

-- Entity and attribute columns are added from the mapping when the workspace is made (names are the mapping's).
-- amount is as sent, in currency; amount_minor is in minor units of the base currency.
CREATE TABLE transactions (
    seq BIGINT NOT NULL, transaction_id VARCHAR NOT NULL, occurred_at TIMESTAMP NOT NULL,
    recorded_at TIMESTAMP NOT NULL, amount DECIMAL(20, 4), currency VARCHAR NOT NULL, amount_minor BIGINT,
    content_sha256 VARCHAR NOT NULL, commitments VARCHAR NOT NULL, source VARCHAR NOT NULL
);

-- Facts about a transaction that arrive later (chargebacks, file labels). Usable for transaction x when
-- known_at <= x.occurred_at and reported_seq < x.seq; reported_seq is the last transaction seq given out when the
-- outcome arrived, or 0 for labels that came with imported history. A reversal is a later row.
CREATE TABLE outcomes (
    transaction_seq BIGINT NOT NULL, is_fraud BOOLEAN NOT NULL, known_at TIMESTAMP NOT NULL,
    reported_seq BIGINT NOT NULL, source VARCHAR NOT NULL, reason_code VARCHAR NOT NULL, recorded_at TIMESTAMP NOT NULL
);

CREATE TABLE imports (
    import_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, file_sha256 VARCHAR NOT NULL, mapping_sha256 VARCHAR NOT NULL,
    accepted BIGINT NOT NULL, duplicate BIGINT NOT NULL, quarantined BIGINT NOT NULL, imported_at TIMESTAMP NOT NULL
);
CREATE TABLE quarantine (
    import_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line BIGINT NOT NULL, field VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, raw VARCHAR NOT NULL
);

-- Content-addressed rules, features, policy and lists; an approved set names one hash of each file.
CREATE TABLE artefacts (sha256 VARCHAR NOT NULL, path VARCHAR NOT NULL, content BLOB NOT NULL, first_seen_at TIMESTAMP NOT NULL);
CREATE TABLE approved_sets (
    set_id VARCHAR NOT NULL, files VARCHAR NOT NULL, approved_by VARCHAR NOT NULL, approved_at TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL, event_seq BIGINT NOT NULL
);

-- One row per decided transaction; the whole decision (features, rule results, SHAP, draws) is the event's payload.
CREATE TABLE decisions (
    transaction_seq BIGINT NOT NULL, transaction_id VARCHAR NOT NULL, decided_at TIMESTAMP NOT NULL,
    occurred_at TIMESTAMP NOT NULL, outcome VARCHAR NOT NULL, probability DOUBLE, margin DOUBLE, amount_minor BIGINT,
    model_id VARCHAR NOT NULL, set_id VARCHAR NOT NULL, triage_reason VARCHAR NOT NULL, rules_hit VARCHAR[] NOT NULL,
    audit_probability DOUBLE NOT NULL, explore_probability DOUBLE NOT NULL, event_seq BIGINT NOT NULL,
    explored BOOLEAN DEFAULT false
);

CREATE TABLE cases (
    case_id VARCHAR NOT NULL, opened_at TIMESTAMP NOT NULL, opened_by VARCHAR NOT NULL, status VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, reason_detail VARCHAR NOT NULL, entity VARCHAR NOT NULL, entity_value VARCHAR NOT NULL,
    queue VARCHAR NOT NULL, amount_minor BIGINT NOT NULL, deadline TIMESTAMP NOT NULL, verdict VARCHAR NOT NULL,
    closed_at TIMESTAMP
);
CREATE TABLE case_transactions (case_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, added_at TIMESTAMP NOT NULL);
CREATE TABLE dossiers (
    dossier_id VARCHAR NOT NULL, case_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, content BLOB NOT NULL,
    sha256 VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL
);
-- case_id is '' for tasks that belong to no case (audit, golden). probability is that with which the task was drawn.
CREATE TABLE tasks (
    task_id VARCHAR NOT NULL, case_id VARCHAR NOT NULL, dossier_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL,
    kind VARCHAR NOT NULL, lane VARCHAR NOT NULL, queue VARCHAR NOT NULL, probability DOUBLE NOT NULL,
    status VARCHAR NOT NULL, arm VARCHAR NOT NULL, priority DOUBLE NOT NULL, amount_minor BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL, deadline TIMESTAMP NOT NULL, claimed_by VARCHAR NOT NULL, claimed_at TIMESTAMP,
    lock_expires_at TIMESTAMP, done_at TIMESTAMP
);
CREATE TABLE verdicts (
    verdict_id VARCHAR NOT NULL, task_id VARCHAR NOT NULL, case_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL,
    task_kind VARCHAR NOT NULL, lane VARCHAR NOT NULL, reviewer VARCHAR NOT NULL, value VARCHAR NOT NULL,
    typology VARCHAR NOT NULL, reason_code VARCHAR NOT NULL, note VARCHAR NOT NULL, confidence VARCHAR NOT NULL,
    seconds DOUBLE NOT NULL, guideline_version VARCHAR NOT NULL, arm VARCHAR NOT NULL, corrections VARCHAR NOT NULL,
    flags VARCHAR[] NOT NULL, given_at TIMESTAMP NOT NULL, undone_at TIMESTAMP, event_seq BIGINT NOT NULL
);
-- A reviewer is not offered again what he or she released.
CREATE TABLE skips (task_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, reviewer VARCHAR NOT NULL, reason VARCHAR NOT NULL, skipped_at TIMESTAMP NOT NULL);
CREATE TABLE drafts (task_id VARCHAR NOT NULL, reviewer VARCHAR NOT NULL, content VARCHAR NOT NULL, saved_at TIMESTAMP NOT NULL);
CREATE TABLE dispositions (
    disposition_seq BIGINT NOT NULL, transaction_seq BIGINT NOT NULL, transaction_id VARCHAR NOT NULL, case_id VARCHAR NOT NULL,
    value VARCHAR NOT NULL, reason VARCHAR NOT NULL, actor VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL
);

CREATE TABLE models (
    model_id VARCHAR NOT NULL, status VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL, requested_by VARCHAR NOT NULL,
    manifest VARCHAR NOT NULL, files_sha256 VARCHAR NOT NULL
);
CREATE TABLE retrains (
    run_id VARCHAR NOT NULL, trigger VARCHAR NOT NULL, requested_by VARCHAR NOT NULL, started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP, result VARCHAR NOT NULL, sentence VARCHAR NOT NULL, champion_id VARCHAR NOT NULL,
    challenger_id VARCHAR NOT NULL, gates VARCHAR NOT NULL
);
CREATE TABLE job_runs (
    run_id VARCHAR NOT NULL, job VARCHAR NOT NULL, started_at TIMESTAMP NOT NULL, finished_at TIMESTAMP,
    result VARCHAR NOT NULL, detail VARCHAR NOT NULL
);
CREATE TABLE users (
    user_id VARCHAR NOT NULL, role VARCHAR NOT NULL, password_hash VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL,
    disabled_at TIMESTAMP
);
CREATE TABLE tokens (
    token_sha256 VARCHAR NOT NULL, user_id VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL, expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);

-- The institution's own fields (role: entity, attribute, personal) and what the workspace is about (institution,
-- base_currency, time_zone, mapping_sha256).
CREATE TABLE fields (name VARCHAR NOT NULL, role VARCHAR NOT NULL, type VARCHAR NOT NULL, unit VARCHAR NOT NULL);
CREATE TABLE about (name VARCHAR NOT NULL, value VARCHAR NOT NULL);
