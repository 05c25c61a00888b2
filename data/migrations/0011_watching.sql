-- What comes in held against what came before, what was done about it, what the week was like, verdicts that were
-- declared void, and campaigns that have people label past payments.

-- `content` is canonical JSON: what was compared, with bins, counts, tests and the sentences.
CREATE TABLE watch_reports (
    report_id VARCHAR NOT NULL, made_at TIMESTAMP NOT NULL, since TIMESTAMP NOT NULL, until TIMESTAMP NOT NULL,
    level VARCHAR NOT NULL, drifted VARCHAR[] NOT NULL, content VARCHAR NOT NULL
);
-- Reviews widened in one segment of the policy, from one report on until `ends_at`.
CREATE TABLE widenings (
    widening_id VARCHAR NOT NULL, segment VARCHAR NOT NULL, factor DOUBLE NOT NULL, most BIGINT NOT NULL,
    sentence VARCHAR NOT NULL, report_id VARCHAR NOT NULL, starts_at TIMESTAMP NOT NULL, ends_at TIMESTAMP NOT NULL
);
CREATE TABLE digests (
    digest_id VARCHAR NOT NULL, made_at TIMESTAMP NOT NULL, since TIMESTAMP NOT NULL, until TIMESTAMP NOT NULL,
    content VARCHAR NOT NULL
);
-- A verdict that no longer counts for anything that learns, whoever gave it; the verdict itself stays as it was given.
CREATE TABLE voided_verdicts (
    verdict_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, voided_by VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    voided_at TIMESTAMP NOT NULL
);
-- `design` is random or stratified; `population` says how many payments it was drawn from.
CREATE TABLE campaigns (
    campaign_id VARCHAR NOT NULL, name VARCHAR NOT NULL, design VARCHAR NOT NULL, wanted BIGINT NOT NULL,
    population BIGINT NOT NULL, criteria VARCHAR NOT NULL, opened_by VARCHAR NOT NULL, opened_at TIMESTAMP NOT NULL,
    closed_at TIMESTAMP, result VARCHAR NOT NULL
);
CREATE TABLE campaign_payments (
    campaign_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, stratum VARCHAR NOT NULL, probability DOUBLE NOT NULL,
    task_id VARCHAR NOT NULL
);

-- What a task is like, so that nobody is handed fifty of a kind in a row: the entity it is about, and the rules that hit
-- with the band of the score.
ALTER TABLE tasks ADD COLUMN about VARCHAR DEFAULT '';
ALTER TABLE tasks ADD COLUMN alike VARCHAR DEFAULT '';
