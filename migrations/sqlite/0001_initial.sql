-- The first schema: apps, users with what the query language reads, and the log.
--
-- Times are nanoseconds since 1970, booleans 0 and 1, JSON compact text that no statement looks into. Text collates
-- bytewise. Several columns hold what `model` computed (name_key, words, leaves): SQL never folds or flattens.

CREATE TABLE apps (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    api_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    secret TEXT NOT NULL,
    -- Both secrets are valid while a rotation is under way.
    previous_secret TEXT,
    suspended_at INTEGER,
    suspended_explanation TEXT NOT NULL DEFAULT '',
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- AUTOINCREMENT: a key is never used twice, so a row of the log can never come to speak of somebody else.
CREATE TABLE users (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    app INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    image TEXT,
    role TEXT NOT NULL,
    teams TEXT NOT NULL,
    teams_role TEXT NOT NULL,
    language TEXT NOT NULL,
    invisible INTEGER NOT NULL,
    privacy TEXT,
    custom TEXT NOT NULL,
    name_key TEXT NOT NULL,
    words TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deactivated_at INTEGER,
    deleted_at INTEGER,
    tokens_revoked_before INTEGER,
    UNIQUE (app, id)
) STRICT;

-- The default order of a query: newest first within an app. `created_at` grows with the key (see storage::users), and
-- every index ends with the key, so each of those below answers in that order for one value.
CREATE INDEX users_by_creation ON users (app, created_at);

CREATE INDEX users_by_update ON users (app, updated_at);

-- Serves the comparison of names as well: equal names have equal keys.
CREATE INDEX users_by_name ON users (app, name_key) WHERE name IS NOT NULL;

CREATE INDEX users_by_language ON users (app, language) WHERE language <> '';

CREATE INDEX users_deactivated ON users (app, deactivated_at) WHERE deactivated_at IS NOT NULL;

CREATE INDEX users_invisible ON users (app) WHERE invisible = 1;

-- The typed leaves of custom data and teams (model::leaf): one row for each value that a filter can name. The primary key is
-- the order in which an equality filter wants its users, so this one tree serves equality, ranges and the sort.
-- `number` is ANY: integers stay integers and compare exactly with floats.
CREATE TABLE user_leaves (
    app INTEGER NOT NULL,
    path TEXT NOT NULL,
    kind INTEGER NOT NULL,
    number ANY NOT NULL,
    text TEXT NOT NULL,
    digest INTEGER NOT NULL,
    user INTEGER NOT NULL,
    PRIMARY KEY (app, path, kind, number, text, digest, user)
) STRICT, WITHOUT ROWID;

-- What one user has at one path: conditions beside the one that an index was chosen for, and sorts.
CREATE INDEX user_leaves_by_user ON user_leaves (user, path);

-- What an update does to the leaves of its users, in one statement: rows that go and rows that come.
CREATE VIEW user_leaf_changes AS
    SELECT 1 AS present, app, path, kind, number, text, digest, user FROM user_leaves;

CREATE TRIGGER user_leaf_comes INSTEAD OF INSERT ON user_leaf_changes WHEN NEW.present BEGIN
    INSERT INTO user_leaves VALUES (NEW.app, NEW.path, NEW.kind, NEW.number, NEW.text, NEW.digest, NEW.user);
END;

CREATE TRIGGER user_leaf_goes INSTEAD OF INSERT ON user_leaf_changes WHEN NOT NEW.present BEGIN
    DELETE FROM user_leaves
    WHERE app = NEW.app AND path = NEW.path AND kind = NEW.kind AND number = NEW.number AND text = NEW.text
        AND digest = NEW.digest AND user = NEW.user;
END;

-- Autocomplete: the folded words of a user under the user's key. A word carries its app and its field in front
-- (model::words), nine characters in all, so the prefix indexes serve one, two and three letters of one field of one
-- app. `ascii` splits at spaces only, which is all that model puts between words.
CREATE VIRTUAL TABLE user_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii', prefix = '10 11 12'
);

CREATE TRIGGER user_words_come AFTER INSERT ON users BEGIN
    INSERT INTO user_words (rowid, words) VALUES (NEW.key, NEW.words);
END;

CREATE TRIGGER user_words_change AFTER UPDATE OF words ON users WHEN OLD.words <> NEW.words BEGIN
    UPDATE user_words SET words = NEW.words WHERE rowid = NEW.key;
END;

CREATE TRIGGER user_words_go AFTER DELETE ON users BEGIN
    DELETE FROM user_words WHERE rowid = OLD.key;
END;

-- The log: every change of state, in the transaction that made it. `person` is the user whom the event is about.
CREATE TABLE log (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    app INTEGER NOT NULL,
    time INTEGER NOT NULL,
    actor TEXT NOT NULL,
    operation TEXT NOT NULL,
    request TEXT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    person INTEGER,
    payload TEXT NOT NULL
) STRICT;

-- Everyone whose data a row of the log holds: what a deletion has to find.
CREATE TABLE log_person (
    log INTEGER NOT NULL,
    user INTEGER NOT NULL,
    PRIMARY KEY (log, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX log_person_by_user ON log_person (user, log);

CREATE TRIGGER log_person_of_subject AFTER INSERT ON log WHEN NEW.person IS NOT NULL BEGIN
    INSERT INTO log_person (log, user) VALUES (NEW.sequence, NEW.person);
END;
