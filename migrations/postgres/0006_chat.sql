-- The smallest chat content: channels, who is in them, messages, reactions.
--
-- Everything that a user leaves behind is reached by an index that begins with the key of the user, so that deleting it
-- costs the same for each row whatever else there is. Custom data and attachments are compact JSON that only `model` reads.

-- A channel. `team` is '' when it is of no team. `created_by` is the key of its creator, NULL when that user is gone: then
-- `owner` is the generated id that stands in its place. `cause` says why it is deleted: 0 it is not, 1 somebody did it, 2 its
-- creator was deactivated, 3 a user was deleted; `hidden_by` is whose deactivation or deletion that was. The counts are those
-- of the rows below. The id of a channel that is found by its members is '!members-' and a digest of
-- their ids, for which the app has a key.
CREATE TABLE channels (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    team TEXT COLLATE "C" NOT NULL,
    created_by BIGINT,
    owner TEXT COLLATE "C",
    custom TEXT COLLATE "C" NOT NULL,
    member_count BIGINT NOT NULL,
    message_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_message_at BIGINT,
    deleted_at BIGINT,
    cause BIGINT NOT NULL,
    hidden_by BIGINT,
    UNIQUE (app, type, id)
);

CREATE INDEX channels_by_creator ON channels (created_by, key) WHERE created_by IS NOT NULL;

CREATE INDEX channels_by_hider ON channels (hidden_by, cause, key) WHERE hidden_by IS NOT NULL;

CREATE TABLE channel_members (
    channel BIGINT NOT NULL,
    "user" BIGINT NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    custom TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (channel, "user")
);

CREATE INDEX channel_members_by_user ON channel_members ("user", channel);

-- A message; its author is there as long as it is. `cause` as of channels, and 4 when it was pruned: nothing is kept of it
-- but that it was there. `shadowed` messages are seen by nobody but their author and servers.
CREATE TABLE messages (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    channel BIGINT NOT NULL,
    "user" BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    attachments TEXT COLLATE "C" NOT NULL,
    custom TEXT COLLATE "C" NOT NULL,
    shadowed BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    cause BIGINT NOT NULL,
    UNIQUE (app, id)
);

CREATE INDEX messages_by_channel ON messages (channel, created_at, key);

-- What everybody sees of a channel, and what a user sees beside it: its newest messages are found at once, however many of
-- those between them are hidden.
CREATE INDEX messages_shown ON messages (channel, created_at, key) WHERE cause = 0 AND shadowed = 0;

CREATE INDEX messages_shadowed ON messages (channel, "user", created_at, key) WHERE cause = 0 AND shadowed = 1;

CREATE INDEX messages_by_user ON messages ("user", key);

CREATE TABLE reactions (
    message BIGINT NOT NULL,
    "user" BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    score BIGINT NOT NULL,
    custom TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (message, "user", type)
);

CREATE INDEX reactions_by_user ON reactions ("user", message, type);

-- The newest reactions to a message are shown with it.
CREATE INDEX reactions_by_message ON reactions (message, updated_at, "user", type);

-- When the first and the last of a type came, as long as reactions are taken back.
CREATE INDEX reactions_by_creation ON reactions (message, type, created_at);

CREATE INDEX reactions_by_change ON reactions (message, type, updated_at);

-- What the reactions to a message come to, type by type: each answer that shows it shows that, and must not count anew.
CREATE TABLE reaction_groups (
    message BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    score BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (message, type)
);
