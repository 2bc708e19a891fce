-- How users are deleted, whose ids nobody gets again, and what is still to be forgotten.

-- 0 is not at all, 1 soft, 2 pruning, 3 hard (model::UserDeletion): only 1 can be taken back.
ALTER TABLE users ADD COLUMN deletion INTEGER NOT NULL DEFAULT 0;

-- What stays of a user who was deleted for good: a keyed hash of the id (model::tombstone).
CREATE TABLE tombstones (
    app INTEGER NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (app, hash)
) STRICT, WITHOUT ROWID;

-- Keys of users of whom the log still knows, until `due_at` at most; and then of those of whom freed pages of the file
-- may still hold something (`redacted`). The key 0 is of nobody: something was dropped that can have named any of them.
CREATE TABLE forgettings (
    user INTEGER PRIMARY KEY,
    due_at INTEGER NOT NULL,
    redacted INTEGER NOT NULL
) STRICT;

CREATE INDEX forgettings_by_turn ON forgettings (redacted, due_at);
