-- The files of exports (semantics 11.3 to 11.5): rows, so that every server has them and a step of the task is one transaction.

-- A file. Whoever knows the `name`, which nobody can guess, may read it. `task` is the id of the task that writes it.
-- `expires_at` is NULL while it is written; from then on until `expires_at` it can be read, and after that it goes.
CREATE TABLE export_files (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    task TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);

CREATE INDEX export_files_by_end ON export_files (expires_at) WHERE expires_at IS NOT NULL;

-- Some lines of a file, all of one user. They are compact JSON that only `model` reads.
CREATE TABLE export_chunks (
    file BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    "user" BIGINT NOT NULL,
    lines TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (file, sequence)
);

-- What a deletion of the user has to find.
CREATE INDEX export_chunks_by_user ON export_chunks ("user", file, sequence);
