-- Long work (v2 4): what a call starts and does not wait for. A row is a task, and a step of it is one transaction that
-- claims the row, does a bounded piece and stores how far it came: whatever ends a step, the row is as before or after it.

-- `id` is what clients know. `work` is compact JSON that only `model` reads: what is to be done and how far that came. `work`
-- and `actor` can name users; they are emptied when the task ends. `status` is 'pending', 'running', 'completed' or 'failed'.
-- `attempts` counts the failures since the last step that succeeded. No step is begun before `run_at`. `actor`, `operation`
-- and `request` are those of the call that started the task, for the log. `result` and `error` are JSON as well; what they say
-- is dropped after `result_until`.
CREATE TABLE tasks (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    kind TEXT COLLATE "C" NOT NULL,
    work TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    result TEXT COLLATE "C",
    error TEXT COLLATE "C",
    attempts BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    request TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    result_until BIGINT
);

-- The tasks that are not over, in the order in which they get their turns.
CREATE INDEX tasks_due ON tasks (run_at, key) WHERE finished_at IS NULL;

-- How many an app has of them.
CREATE INDEX tasks_unfinished ON tasks (app) WHERE finished_at IS NULL;

-- Those that are over go after a while, and what came of them perhaps sooner.
CREATE INDEX tasks_finished ON tasks (finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX tasks_results ON tasks (result_until) WHERE result_until IS NOT NULL;

-- When a user was last let in again after a deactivation. A task that brings back what that had hidden goes on for as long as
-- nothing else has happened to the user: who was shut out and let in once more was let in since later.
ALTER TABLE users ADD COLUMN reactivated_at BIGINT;
