-- What reviewers' verdicts are worth in labels, further reviews where they leave doubt, and what each reviewer is told of
-- his or her own work before anybody else.

-- One fit of everybody's error rates and each lane's share of fraud; `content` is canonical JSON, named by its digest.
CREATE TABLE consensus_fits (
    fit_id VARCHAR NOT NULL, fitted_at TIMESTAMP NOT NULL, identified BOOLEAN NOT NULL, verdicts BIGINT NOT NULL,
    anchors BIGINT NOT NULL, content VARCHAR NOT NULL
);
-- Reviews asked for because verdicts left doubt: never a random sample, so no headline counts them.
CREATE TABLE further_reviews (
    task_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, fit_id VARCHAR NOT NULL, posterior DOUBLE NOT NULL,
    reason VARCHAR NOT NULL, opened_at TIMESTAMP NOT NULL
);

-- A scorecard is issued to its reviewer, who opens it first; `content` is canonical JSON, as it was when it was issued.
CREATE TABLE scorecards (
    scorecard_id VARCHAR NOT NULL, reviewer VARCHAR NOT NULL, since TIMESTAMP NOT NULL, issued_at TIMESTAMP NOT NULL,
    flagged BOOLEAN NOT NULL, content VARCHAR NOT NULL, opened_at TIMESTAMP
);
CREATE TABLE scorecard_comments (
    comment_id VARCHAR NOT NULL, scorecard_id VARCHAR NOT NULL, reviewer VARCHAR NOT NULL, content VARCHAR NOT NULL,
    "at" TIMESTAMP NOT NULL
);
-- Who else has looked at it.
CREATE TABLE scorecard_looks (scorecard_id VARCHAR NOT NULL, reviewer VARCHAR NOT NULL, seen_by VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL);
