-- What triggers wrote is written by statements of its own (storage::users, storage::log).
--
-- A statement with triggers may have to be undone alone, for which the engine keeps a journal, and the full-text index
-- writes out what it has gathered so far each time such a statement begins. The triggers on DELETE stay: users are
-- rarely deleted, and what hangs on them must never outlive them.

DROP TRIGGER user_words_come;
DROP TRIGGER user_words_change;
DROP TRIGGER role_holders_come;
DROP TRIGGER role_holders_change;
DROP TRIGGER user_leaf_comes;
DROP TRIGGER user_leaf_goes;
DROP VIEW user_leaf_changes;
DROP TRIGGER log_person_of_subject;

-- Every index ends with the key by itself. Named as a column, it made the planner look for each of two lists of keys by
-- each of the other.
DROP INDEX users_by_role;
CREATE INDEX users_by_role ON users (app, role);
