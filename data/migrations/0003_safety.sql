-- Control at run time: what people, or the breaker, have switched off, capped, snoozed, listed or tried.

-- The kill switch, one row a turn; the last one holds.
CREATE TABLE kill_switch (is_on BOOLEAN NOT NULL, turned_at TIMESTAMP NOT NULL, turned_by VARCHAR NOT NULL, reason VARCHAR NOT NULL, event_seq BIGINT NOT NULL);

-- What the breaker did. kind: rule, model, policy, declines; action: pause or cap. ended_by is '' while it holds.
CREATE TABLE breaker_acts (
    act_id VARCHAR NOT NULL, action VARCHAR NOT NULL, kind VARCHAR NOT NULL, subject VARCHAR NOT NULL,
    version VARCHAR NOT NULL, sentence VARCHAR NOT NULL, seen BIGINT NOT NULL, alarms BIGINT NOT NULL,
    expected DOUBLE NOT NULL, acted_at TIMESTAMP NOT NULL, ended_at TIMESTAMP, ended_by VARCHAR NOT NULL,
    ended_reason VARCHAR NOT NULL, stated_rate DOUBLE
);

-- Open until somebody acknowledges it with a reason; at most one open alarm for each kind and subject.
CREATE TABLE alarms (
    alarm_id VARCHAR NOT NULL, kind VARCHAR NOT NULL, subject VARCHAR NOT NULL, sentence VARCHAR NOT NULL,
    raised_at TIMESTAMP NOT NULL, acknowledged_at TIMESTAMP, acknowledged_by VARCHAR NOT NULL, reason VARCHAR NOT NULL
);

-- rule_id is '' for every rule that asks.
CREATE TABLE snoozes (
    snooze_id VARCHAR NOT NULL, entity VARCHAR NOT NULL, value VARCHAR NOT NULL, rule_id VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, made_by VARCHAR NOT NULL, made_at TIMESTAMP NOT NULL, expires_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP, ended_by VARCHAR NOT NULL, ended_reason VARCHAR NOT NULL
);
-- effect: block or review. in_force_at is null while an entry is only proposed.
CREATE TABLE list_entries (
    entry_id VARCHAR NOT NULL, entity VARCHAR NOT NULL, value VARCHAR NOT NULL, effect VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, case_id VARCHAR NOT NULL, proposed_by VARCHAR NOT NULL, proposed_at TIMESTAMP NOT NULL,
    in_force_at TIMESTAMP, confirmed_by VARCHAR NOT NULL, expires_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP, ended_by VARCHAR NOT NULL, ended_reason VARCHAR NOT NULL
);
-- One row for each decision that a snooze silenced something in, a list entry caught, no model answered (fail_safe)
-- or a rule could not be evaluated in (rule_error). subject is the snooze's or entry's id, or why.
CREATE TABLE control_effects (
    kind VARCHAR NOT NULL, subject VARCHAR NOT NULL, rule_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL,
    decided_at TIMESTAMP NOT NULL, outcome VARCHAR NOT NULL, amount_minor BIGINT
);

-- Sets that were never approved as a whole but may be tried; contents are in artefacts.
CREATE TABLE candidate_sets (set_id VARCHAR NOT NULL, files VARCHAR NOT NULL, added_by VARCHAR NOT NULL, added_at TIMESTAMP NOT NULL, reason VARCHAR NOT NULL);
-- kind: shadow (answers, never obeyed) or rollout (decides a share of an entity's values).
CREATE TABLE trials (
    trial_id VARCHAR NOT NULL, kind VARCHAR NOT NULL, name VARCHAR NOT NULL, set_id VARCHAR NOT NULL, model_id VARCHAR NOT NULL,
    entity VARCHAR NOT NULL, share DOUBLE NOT NULL, reason VARCHAR NOT NULL, started_by VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL, stopped_at TIMESTAMP, stopped_by VARCHAR NOT NULL, stopped_reason VARCHAR NOT NULL
);
-- One row for each decision while a trial runs: what the trial answered and what was answered; arm is live or candidate.
CREATE TABLE trial_answers (
    trial_id VARCHAR NOT NULL, arm VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, decided_at TIMESTAMP NOT NULL,
    outcome VARCHAR NOT NULL, answered VARCHAR NOT NULL, amount_minor BIGINT
);
