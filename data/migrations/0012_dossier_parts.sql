-- What a page shows beside a dossier and is worked out when somebody first looks: the linked entities, similar cases,
-- what would have changed the outcome, the payments behind a rule. Stored then, as it was shown.
CREATE TABLE dossier_parts (
    dossier_id VARCHAR NOT NULL, transaction_seq BIGINT NOT NULL, part VARCHAR NOT NULL, content BLOB NOT NULL,
    sha256 VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL
);
-- What somebody has typed and not sent: a case's note, a rule's text. `place` says where; one row a person and place.
CREATE TABLE unsent_texts (user_id VARCHAR NOT NULL, place VARCHAR NOT NULL, content VARCHAR NOT NULL, saved_at TIMESTAMP NOT NULL);
