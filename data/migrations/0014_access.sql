-- How systems and people come in besides by password.

-- API keys of payment systems: the hash of the secret, what it may be used for (names of scopes, a space between them),
-- and how many requests a second it may make (each transaction of a batch counts as one).
CREATE TABLE api_keys (
    key_id VARCHAR NOT NULL, key_sha256 VARCHAR NOT NULL, user_id VARCHAR NOT NULL, name VARCHAR NOT NULL,
    scopes VARCHAR NOT NULL, per_second BIGINT NOT NULL, created_at TIMESTAMP NOT NULL, created_by VARCHAR NOT NULL,
    expires_at TIMESTAMP NOT NULL, revoked_at TIMESTAMP, revoked_by VARCHAR NOT NULL
);
-- Whom an identity provider's people are here; what it calls them (e-mail address, subject) is kept as a keyed hash.
CREATE TABLE outside_names (
    user_id VARCHAR NOT NULL, issuer VARCHAR NOT NULL, name_hmac VARCHAR NOT NULL, linked_at TIMESTAMP NOT NULL,
    linked_by VARCHAR NOT NULL, ended_at TIMESTAMP
);
