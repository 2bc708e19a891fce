-- How users are deleted, and whose ids nobody gets again.

-- 0 is not at all, 1 soft, 2 pruning, 3 hard (model::UserDeletion): only 1 can be taken back.
ALTER TABLE users ADD COLUMN deletion BIGINT NOT NULL DEFAULT 0;

-- What stays of a user who was deleted for good: a keyed hash of the id (model::tombstone).
CREATE TABLE tombstones (
    app BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (app, hash)
);
