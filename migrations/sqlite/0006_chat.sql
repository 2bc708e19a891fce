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
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    app INTEGER NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    team TEXT NOT NULL,
    created_by INTEGER,
    owner TEXT,
    custom TEXT NOT NULL,
    member_count INTEGER NOT NULL,
    message_count INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_message_at INTEGER,
    deleted_at INTEGER,
    cause INTEGER NOT NULL,
    hidden_by INTEGER,
    UNIQUE (app, type, id)
) STRICT;

CREATE INDEX channels_by_creator ON channels (created_by, key) WHERE created_by IS NOT NULL;

CREATE INDEX channels_by_hider ON channels (hidden_by, cause, key) WHERE hidden_by IS NOT NULL;

CREATE TABLE channel_members (
    channel INTEGER NOT NULL,
    user INTEGER NOT NULL,
    role TEXT NOT NULL,
    custom TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (channel, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX channel_members_by_user ON channel_members (user, channel);

-- A message; its author is there as long as it is. `cause` as of channels, and 4 when it was pruned: nothing is kept of it
-- but that it was there. `shadowed` messages are seen by nobody but their author and servers.
CREATE TABLE messages (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    app INTEGER NOT NULL,
    id TEXT NOT NULL,
    channel INTEGER NOT NULL,
    user INTEGER NOT NULL,
    type TEXT NOT NULL,
    text TEXT NOT NULL,
    attachments TEXT NOT NULL,
    custom TEXT NOT NULL,
    shadowed INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    cause INTEGER NOT NULL,
    UNIQUE (app, id)
) STRICT;

CREATE INDEX messages_by_channel ON messages (channel, created_at, key);

-- What everybody sees of a channel, and what a user sees beside it: its newest messages are found at once, however many of
-- those between them are hidden.
CREATE INDEX messages_shown ON messages (channel, created_at, key) WHERE cause = 0 AND shadowed = 0;

CREATE INDEX messages_shadowed ON messages (channel, user, created_at, key) WHERE cause = 0 AND shadowed = 1;

CREATE INDEX messages_by_user ON messages (user, key);

CREATE TABLE reactions (
    message INTEGER NOT NULL,
    user INTEGER NOT NULL,
    type TEXT NOT NULL,
    score INTEGER NOT NULL,
    custom TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (message, user, type)
) STRICT, WITHOUT ROWID;

CREATE INDEX reactions_by_user ON reactions (user, message, type);

-- The newest reactions to a message are shown with it.
CREATE INDEX reactions_by_message ON reactions (message, updated_at, user, type);

-- When the first and the last of a type came, as long as reactions are taken back.
CREATE INDEX reactions_by_creation ON reactions (message, type, created_at);

CREATE INDEX reactions_by_change ON reactions (message, type, updated_at);

-- What the reactions to a message come to, type by type: each answer that shows it shows that, and must not count anew.
CREATE TABLE reaction_groups (
    message INTEGER NOT NULL,
    type TEXT NOT NULL,
    count INTEGER NOT NULL,
    score INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (message, type)
) STRICT, WITHOUT ROWID;
