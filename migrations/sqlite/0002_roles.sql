-- Custom roles, and who has them.

CREATE TABLE roles (
    app INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app, name)
) STRICT, WITHOUT ROWID;

-- Users by role, for the query language.
CREATE INDEX users_by_role ON users (app, role, key);

-- The custom roles that a user who is not deleted has, in the app and in teams, each between spaces: ' captain cook '.
-- `model` computes it (User::held_roles). Nearly every user has built-in roles only, hence ''.
ALTER TABLE users ADD COLUMN held_roles TEXT NOT NULL DEFAULT '';

-- Whether a role is in use is one look here, however many users there are, deleted ones included. An app has at most 25
-- custom roles, so going through all of them to take `held_roles` apart costs less than splitting the text would.
CREATE TABLE role_holders (
    app INTEGER NOT NULL,
    role TEXT NOT NULL,
    user INTEGER NOT NULL,
    PRIMARY KEY (app, role, user)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER role_holders_come AFTER INSERT ON users WHEN NEW.held_roles <> '' BEGIN
    INSERT INTO role_holders (app, role, user)
    SELECT app, name, NEW.key FROM roles WHERE app = NEW.app AND INSTR(NEW.held_roles, ' ' || name || ' ');
END;

CREATE TRIGGER role_holders_change AFTER UPDATE OF held_roles ON users WHEN OLD.held_roles <> NEW.held_roles BEGIN
    DELETE FROM role_holders
    WHERE app = OLD.app AND role IN (SELECT name FROM roles WHERE app = OLD.app) AND user = OLD.key;
    INSERT INTO role_holders (app, role, user)
    SELECT app, name, NEW.key FROM roles WHERE app = NEW.app AND INSTR(NEW.held_roles, ' ' || name || ' ');
END;

CREATE TRIGGER role_holders_go AFTER DELETE ON users WHEN OLD.held_roles <> '' BEGIN
    DELETE FROM role_holders
    WHERE app = OLD.app AND role IN (SELECT name FROM roles WHERE app = OLD.app) AND user = OLD.key;
END;
