-- What was unusual when nobody had said yet what is fraud: the novelty that picks reviews until a first model decides.
-- `content` is canonical JSON, named by its digest (novelty_id); the features it reads are those of features_sha256.
CREATE TABLE novelty_fits (
    novelty_id VARCHAR NOT NULL, fitted_at TIMESTAMP NOT NULL, fitted_by VARCHAR NOT NULL, rows BIGINT NOT NULL,
    last_seq BIGINT NOT NULL, features_sha256 VARCHAR NOT NULL, content BLOB NOT NULL
);
