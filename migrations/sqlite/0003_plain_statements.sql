-- What triggers wrote is written by statements of its own (storage::users, storage::log).
--
-- A statement with triggers has to be undone alone, for which the engine keeps a journal, and the full-text index
-- writes out what it has gathered so far each time such a statement begins: with them an upsert of 100 users took a
-- third longer. `user_words_go` stays: users are rarely deleted, and their words must never outlive them.

DROP TRIGGER user_words_come;
DROP TRIGGER user_words_change;
DROP TRIGGER user_leaf_comes;
DROP TRIGGER user_leaf_goes;
DROP VIEW user_leaf_changes;
DROP TRIGGER log_person_of_subject;
