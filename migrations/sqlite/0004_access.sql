-- Who may do what, and what users do to one another: bans, mutes, blocks, flags, devices, preferences, block lists, groups.
--
-- Everything hangs on the key of a user. Tables that are read with a user are kept in the order in which they are read.

-- The ban from the whole app as it was last set, beside the row of `bans` that says who did it and why: every shape of a
-- user shows it, and every request of the user asks for it. 0 is none, 1 a ban, 2 a shadow ban.
ALTER TABLE users ADD COLUMN ban INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN ban_expires INTEGER;
-- How many there were so far, lifted and replaced ones too.
ALTER TABLE users ADD COLUMN total_bans INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN bypass_moderation INTEGER NOT NULL DEFAULT 0;

-- Which of the tables below may have rows of the user (storage::parts): nearly every user has none, and is read in one
-- statement. A bit that is set stays set.
ALTER TABLE users ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;

CREATE INDEX users_banned ON users (app, ban_expires) WHERE ban <> 0;

-- One ban of a user in the app (`channel` is '') or in one channel. `banned_by` is NULL when nobody was named.
CREATE TABLE bans (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    app INTEGER NOT NULL,
    user INTEGER NOT NULL,
    channel TEXT NOT NULL,
    banned_by INTEGER,
    shadow INTEGER NOT NULL,
    ip_ban INTEGER NOT NULL,
    reason TEXT,
    expires INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (user, channel)
) STRICT;

CREATE INDEX bans_by_creation ON bans (app, created_at, key);

CREATE INDEX bans_by_author ON bans (banned_by) WHERE banned_by IS NOT NULL;

CREATE TABLE user_mutes (
    user INTEGER NOT NULL,
    target INTEGER NOT NULL,
    expires INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user, target)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_mutes_by_target ON user_mutes (target);

CREATE TABLE user_blocks (
    user INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user, blocked)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_blocks_by_blocked ON user_blocks (blocked);

-- One report of something by a user. All reports of one thing share the `item` of the review queue. `creator` is the user
-- who made the thing; of a flagged user, that user.
CREATE TABLE flags (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    app INTEGER NOT NULL,
    user INTEGER NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    creator INTEGER,
    item TEXT NOT NULL,
    reason TEXT,
    custom TEXT,
    payload TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (app, entity_type, entity_id, user)
) STRICT;

CREATE INDEX flags_by_creation ON flags (app, created_at, key);

CREATE INDEX flags_by_user ON flags (user);

CREATE INDEX flags_by_creator ON flags (creator, entity_type) WHERE creator IS NOT NULL;

-- Push devices. An id is the token of the push provider and belongs to one user of the app at a time.
CREATE TABLE devices (
    app INTEGER NOT NULL,
    id TEXT NOT NULL,
    user INTEGER NOT NULL,
    provider TEXT NOT NULL,
    provider_name TEXT,
    hardware_id TEXT,
    voip INTEGER NOT NULL,
    disabled_reason TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX devices_by_user ON devices (user, created_at);

-- What a user wants pushed, in the whole app (`channel` is '') or in one channel. `preferences` is compact JSON that only
-- `model` reads.
CREATE TABLE push_preferences (
    user INTEGER NOT NULL,
    channel TEXT NOT NULL,
    preferences TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user, channel)
) STRICT, WITHOUT ROWID;

-- Lists of words that moderation looks for. `team` is '' for a list of the whole app; `words` and `options` are compact
-- JSON that only `model` reads.
CREATE TABLE block_lists (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    app INTEGER NOT NULL,
    team TEXT NOT NULL,
    name TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    words TEXT NOT NULL,
    options TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (app, team, name)
) STRICT;

-- Named sets of users. `team` is '' for a group of the whole app; `name_folded` is what a search by name begins with.
CREATE TABLE user_groups (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    app INTEGER NOT NULL,
    id TEXT NOT NULL,
    team TEXT NOT NULL,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    description TEXT,
    created_by INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (app, id)
) STRICT;

CREATE INDEX user_groups_by_creation ON user_groups (app, created_at, id);

CREATE INDEX user_groups_by_name ON user_groups (app, name_folded, id);

-- Users of an app with teams see the groups of theirs only.
CREATE INDEX user_groups_of_team_by_creation ON user_groups (app, team, created_at, id);

CREATE INDEX user_groups_of_team_by_name ON user_groups (app, team, name_folded, id);

CREATE INDEX user_groups_by_author ON user_groups (created_by) WHERE created_by IS NOT NULL;

CREATE TABLE user_group_members (
    "group" INTEGER NOT NULL,
    user INTEGER NOT NULL,
    is_admin INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY ("group", user)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_group_members_by_user ON user_group_members (user);
