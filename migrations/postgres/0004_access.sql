-- Who may do what, and what users do to one another: bans, mutes, blocks, flags, devices, preferences, block lists, groups.
--
-- Everything hangs on the key of a user. Tables that are read with a user are kept in the order in which they are read.

-- The ban from the whole app as it was last set, beside the row of `bans` that says who did it and why: every shape of a
-- user shows it, and every request of the user asks for it. 0 is none, 1 a ban, 2 a shadow ban.
ALTER TABLE users ADD COLUMN ban BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN ban_expires BIGINT;
-- How many there were so far, lifted and replaced ones too.
ALTER TABLE users ADD COLUMN total_bans BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN bypass_moderation BIGINT NOT NULL DEFAULT 0;

-- Which of the tables below may have rows of the user (storage::parts): nearly every user has none, and is read in one
-- statement. A bit that is set stays set.
ALTER TABLE users ADD COLUMN parts BIGINT NOT NULL DEFAULT 0;

CREATE INDEX users_banned ON users (app, ban_expires) WHERE ban <> 0;

-- One ban of a user in the app (`channel` is '') or in one channel. `banned_by` is NULL when nobody was named.
CREATE TABLE bans (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app BIGINT NOT NULL,
    "user" BIGINT NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    banned_by BIGINT,
    shadow BIGINT NOT NULL,
    ip_ban BIGINT NOT NULL,
    reason TEXT COLLATE "C",
    expires BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE ("user", channel)
);

CREATE INDEX bans_by_creation ON bans (app, created_at, key);

CREATE INDEX bans_by_author ON bans (banned_by) WHERE banned_by IS NOT NULL;

CREATE TABLE user_mutes (
    "user" BIGINT NOT NULL,
    target BIGINT NOT NULL,
    expires BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY ("user", target)
);

CREATE INDEX user_mutes_by_target ON user_mutes (target);

CREATE TABLE user_blocks (
    "user" BIGINT NOT NULL,
    blocked BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY ("user", blocked)
);

CREATE INDEX user_blocks_by_blocked ON user_blocks (blocked);

-- One report of something by a user. All reports of one thing share the `item` of the review queue. `creator` is the user
-- who made the thing; of a flagged user, that user.
CREATE TABLE flags (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app BIGINT NOT NULL,
    "user" BIGINT NOT NULL,
    entity_type TEXT COLLATE "C" NOT NULL,
    entity_id TEXT COLLATE "C" NOT NULL,
    creator BIGINT,
    item TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    custom TEXT COLLATE "C",
    payload TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (app, entity_type, entity_id, "user")
);

CREATE INDEX flags_by_creation ON flags (app, created_at, key);

CREATE INDEX flags_by_user ON flags ("user");

CREATE INDEX flags_by_creator ON flags (creator, entity_type) WHERE creator IS NOT NULL;

-- Push devices. An id is the token of the push provider and belongs to one user of the app at a time.
CREATE TABLE devices (
    app BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    "user" BIGINT NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    provider_name TEXT COLLATE "C",
    hardware_id TEXT COLLATE "C",
    voip BIGINT NOT NULL,
    disabled_reason TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (app, id)
);

CREATE INDEX devices_by_user ON devices ("user", created_at);

-- What a user wants pushed, in the whole app (`channel` is '') or in one channel. `preferences` is compact JSON that only
-- `model` reads.
CREATE TABLE push_preferences (
    "user" BIGINT NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    preferences TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY ("user", channel)
);

-- Lists of words that moderation looks for. `team` is '' for a list of the whole app; `words` and `options` are compact
-- JSON that only `model` reads.
CREATE TABLE block_lists (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app BIGINT NOT NULL,
    team TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    words TEXT COLLATE "C" NOT NULL,
    options TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (app, team, name)
);

-- Named sets of users. `team` is '' for a group of the whole app; `name_folded` is what a search by name begins with.
CREATE TABLE user_groups (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    team TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    created_by BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (app, id)
);

CREATE INDEX user_groups_by_creation ON user_groups (app, created_at, id);

CREATE INDEX user_groups_by_name ON user_groups (app, name_folded, id);

-- Users of an app with teams see the groups of theirs only.
CREATE INDEX user_groups_of_team_by_creation ON user_groups (app, team, created_at, id);

CREATE INDEX user_groups_of_team_by_name ON user_groups (app, team, name_folded, id);

CREATE INDEX user_groups_by_author ON user_groups (created_by) WHERE created_by IS NOT NULL;

CREATE TABLE user_group_members (
    "group" BIGINT NOT NULL,
    "user" BIGINT NOT NULL,
    is_admin BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY ("group", "user")
);

CREATE INDEX user_group_members_by_user ON user_group_members ("user");
