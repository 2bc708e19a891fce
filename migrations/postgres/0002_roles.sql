-- Custom roles, and who has them.

CREATE TABLE roles (
    app BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (app, name)
);

-- Users by role, for the query language.
CREATE INDEX users_by_role ON users (app, role, key);

-- The custom roles that a user who is not deleted has, in the app and in teams, each between spaces: ' captain cook '.
-- `model` computes it (User::held_roles). Nearly every user has built-in roles only, hence ''.
ALTER TABLE users ADD COLUMN held_roles TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Whether a role is in use is one look here, however many users there are, deleted ones included. The statement that
-- stores users keeps it.
CREATE TABLE role_holders (
    app BIGINT NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    "user" BIGINT NOT NULL,
    PRIMARY KEY (app, role, "user")
);
