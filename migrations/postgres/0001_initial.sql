-- The first schema: apps, users with what the query language reads, and the log. The same tables and columns as the
-- SQLite folder has, but where a comment says why not.
--
-- Times are nanoseconds since 1970, booleans 0 and 1, JSON compact text that no statement looks into. Text collates
-- bytewise. Several columns hold what `model` computed (name_key, words, leaves): SQL never folds or flattens.

CREATE TABLE apps (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    api_key TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    secret TEXT COLLATE "C" NOT NULL,
    -- Both secrets are valid while a rotation is under way.
    previous_secret TEXT COLLATE "C",
    suspended_at BIGINT,
    suspended_explanation TEXT COLLATE "C" NOT NULL DEFAULT '',
    settings TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE users (
    key BIGINT PRIMARY KEY,
    app BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    image TEXT COLLATE "C",
    role TEXT COLLATE "C" NOT NULL,
    teams TEXT COLLATE "C" NOT NULL,
    teams_role TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    invisible BIGINT NOT NULL,
    privacy TEXT COLLATE "C",
    custom TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    words TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deactivated_at BIGINT,
    deleted_at BIGINT,
    tokens_revoked_before BIGINT,
    UNIQUE (app, id)
);

-- The key, and creation time, of the newest user. They have to grow together within an app, while transactions that
-- create users overlap and cannot see each other's. So they are one number, taken here: `setval` is seen by everybody at
-- once and never undone. A lock until the commit would do as well, and have every user of an app wait for the disk.
CREATE SEQUENCE newest_user MINVALUE 0;
SELECT SETVAL('newest_user', 0);

-- The first of `wanted` numbers in a row, at the time `now` or later, that no user has and no other gets. It holds a lock
-- of its own for the moment between reading and setting; the number is any that nothing else uses.
CREATE FUNCTION take_user_keys(now BIGINT, wanted BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    first BIGINT;
BEGIN
    PERFORM pg_advisory_lock(5208492444341520979);
    SELECT GREATEST(now, last_value + 1) INTO first FROM newest_user;
    PERFORM SETVAL('newest_user', first + wanted - 1);
    PERFORM pg_advisory_unlock(5208492444341520979);
    RETURN first;
END
$$;

-- Every index of users by a value ends with the key where it has to answer in the order of age.
CREATE INDEX users_by_creation ON users (app, created_at);

CREATE INDEX users_by_update ON users (app, updated_at);

-- Serves the comparison of names as well: equal names have equal keys.
CREATE INDEX users_by_name ON users (app, name_key, key) WHERE name IS NOT NULL;

CREATE INDEX users_by_language ON users (app, language, key) WHERE language <> '';

CREATE INDEX users_deactivated ON users (app, deactivated_at) WHERE deactivated_at IS NOT NULL;

CREATE INDEX users_invisible ON users (app, key) WHERE invisible = 1;

-- The typed leaves of custom data and teams (model::leaf): one row for each value that a filter can name. The primary key is
-- the order in which an equality filter wants its users, so this one tree serves equality, ranges and the sort.
-- `number` is NUMERIC: integers and floats compare exactly.
CREATE TABLE user_leaves (
    app BIGINT NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    kind BIGINT NOT NULL,
    number NUMERIC NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    digest BIGINT NOT NULL,
    "user" BIGINT NOT NULL,
    PRIMARY KEY (app, path, kind, number, text, digest, "user")
);

-- What one user has at one path: conditions beside the one that an index was chosen for, and sorts.
CREATE INDEX user_leaves_by_user ON user_leaves ("user", path);

-- Autocomplete: each folded word of a user, and its first letter and first two letters with a star behind them, which no
-- word has. So the users of a word, and of one or two letters, come in the order of age from this tree alone; users of
-- more letters are a range of it, whose users are fewer the more letters there are. A word carries its app and its field
-- in front (model::words), nine characters in all.
CREATE TABLE user_words (
    word TEXT COLLATE "C" NOT NULL,
    "user" BIGINT NOT NULL,
    PRIMARY KEY (word, "user")
);

-- The words under which a user with `words` is found.
CREATE FUNCTION words_of(words TEXT) RETURNS TABLE (word TEXT) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT DISTINCT entry.word COLLATE "C"
    FROM UNNEST(STRING_TO_ARRAY(words, ' ')) AS stored (word),
        LATERAL (VALUES (stored.word), (LEFT(stored.word, 10) || '*'), (LEFT(stored.word, 11) || '*')) AS entry (word)
    WHERE stored.word <> ''
$$;

-- The log: every change of state, in the transaction that made it. `person` is the user whom the event is about.
--
-- Sequences come in the order in which they were taken, and rows in the order in which they were committed: a reader that
-- went by the sequence would miss what is committed late. `xid` is the transaction; those below the oldest that is still
-- running have all ended, so readers stop there and go by (xid, sequence).
CREATE TABLE log (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    app BIGINT NOT NULL,
    time BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    request TEXT COLLATE "C" NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    person BIGINT,
    payload TEXT COLLATE "C" NOT NULL
);

CREATE INDEX log_in_order ON log (xid, sequence);

-- Everyone whose data a row of the log holds: what a deletion has to find.
CREATE TABLE log_person (
    log BIGINT NOT NULL,
    "user" BIGINT NOT NULL,
    PRIMARY KEY (log, "user")
);

CREATE INDEX log_person_by_user ON log_person ("user", log);
