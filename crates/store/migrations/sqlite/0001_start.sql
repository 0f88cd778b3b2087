-- Times are milliseconds since the Unix epoch. Documents are JSON as text.

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    base_runtime TEXT NOT NULL,
    deployment_mode TEXT NOT NULL,
    slo TEXT,
    max_iterations BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    -- The current run.
    run BIGINT NOT NULL,
    status TEXT NOT NULL,
    total_experiments BIGINT NOT NULL DEFAULT 0,
    successful_experiments BIGINT NOT NULL DEFAULT 0,
    best_experiment BIGINT,
    started_at_ms BIGINT,
    completed_at_ms BIGINT,
    ended_because TEXT,
    is_cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    -- The claim: held while lease_until_ms is set; the epoch only grows.
    lease_owner TEXT,
    lease_epoch BIGINT NOT NULL DEFAULT 0,
    lease_until_ms BIGINT
);
CREATE INDEX tasks_by_status ON tasks (status, id);
CREATE INDEX tasks_by_creation ON tasks (created_at_ms);

-- Runs before the current one, as they ended.
CREATE TABLE runs (
    task BIGINT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    run BIGINT NOT NULL,
    status TEXT NOT NULL,
    total_experiments BIGINT NOT NULL,
    successful_experiments BIGINT NOT NULL,
    best_experiment BIGINT,
    started_at_ms BIGINT,
    completed_at_ms BIGINT,
    ended_because TEXT,
    PRIMARY KEY (task, run)
);

-- What each run has run; apart, so that lists read small rows.
CREATE TABLE documents (
    task BIGINT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    run BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (task, run)
);

-- Numbers inside a run are 1, 2, 3… without a gap: pages of a run are cut by number.
CREATE TABLE experiments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task BIGINT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    run BIGINT NOT NULL,
    number BIGINT NOT NULL,
    role TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    status TEXT NOT NULL,
    candidate TEXT NOT NULL,
    reason TEXT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    -- Lower is better; for charts. The score itself is among the results.
    objective_score DOUBLE PRECISION,
    UNIQUE (task, run, number)
);
CREATE INDEX experiments_by_start ON experiments (started_at_ms, id);

-- The large parts of experiments; apart, so that scans read small rows.
CREATE TABLE results (
    experiment INTEGER PRIMARY KEY REFERENCES experiments (id) ON DELETE CASCADE,
    launch TEXT,
    score TEXT,
    measured TEXT,
    failure TEXT,
    foreign_result TEXT
);

CREATE TABLE presets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    category TEXT,
    runtime TEXT,
    is_system BOOLEAN NOT NULL,
    parameters TEXT NOT NULL,
    metadata TEXT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

-- Only hashes of secrets.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    last_used_at_ms BIGINT,
    revoked_at_ms BIGINT
);
CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked_at_ms IS NULL;

CREATE TABLE sessions (
    hash BLOB NOT NULL PRIMARY KEY,
    token BIGINT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX sessions_by_token ON sessions (token);

-- Each row's hash is of the row and of the hash before it.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT,
    hash BLOB NOT NULL
);

-- The last row's number and hash, so that a row missing at the end is seen.
CREATE TABLE audit_head (
    only BIGINT NOT NULL PRIMARY KEY CHECK (only = 1),
    last BIGINT NOT NULL,
    hash BLOB NOT NULL
);
INSERT INTO audit_head (only, last, hash)
VALUES (1, 0, x'0000000000000000000000000000000000000000000000000000000000000000');

-- Counts, so that totals need no scan. The triggers below keep them.
CREATE TABLE tallies (
    name TEXT NOT NULL PRIMARY KEY,
    amount BIGINT NOT NULL
);
INSERT INTO tallies (name, amount) VALUES
    ('task.pending', 0), ('task.running', 0), ('task.completed', 0), ('task.failed', 0),
    ('task.cancelled', 0),
    ('experiment.pending', 0), ('experiment.deploying', 0), ('experiment.benchmarking', 0),
    ('experiment.success', 0), ('experiment.failed', 0),
    ('success.milliseconds', 0);

-- How many of each 1024 numbers are in use, so that a late page of all experiments need not
-- step over every row before it.
CREATE TABLE experiment_blocks (
    block INTEGER PRIMARY KEY,
    amount BIGINT NOT NULL
);

CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks BEGIN
    UPDATE tallies SET amount = amount + 1 WHERE name = 'task.' || NEW.status;
END;

CREATE TRIGGER tasks_deleted AFTER DELETE ON tasks BEGIN
    UPDATE tallies SET amount = amount - 1 WHERE name = 'task.' || OLD.status;
END;

CREATE TRIGGER tasks_moved AFTER UPDATE OF status ON tasks WHEN OLD.status <> NEW.status BEGIN
    UPDATE tallies SET amount = amount - 1 WHERE name = 'task.' || OLD.status;
    UPDATE tallies SET amount = amount + 1 WHERE name = 'task.' || NEW.status;
END;

CREATE TRIGGER experiments_inserted AFTER INSERT ON experiments BEGIN
    INSERT INTO experiment_blocks (block, amount) VALUES (NEW.id / 1024, 1)
    ON CONFLICT (block) DO UPDATE SET amount = amount + 1;
    UPDATE tallies SET amount = amount + 1 WHERE name = 'experiment.' || NEW.status;
    UPDATE tallies SET amount = amount + max(NEW.ended_at_ms - NEW.started_at_ms, 0)
    WHERE name = 'success.milliseconds' AND NEW.status = 'success' AND NEW.ended_at_ms IS NOT NULL;
END;

CREATE TRIGGER experiments_deleted AFTER DELETE ON experiments BEGIN
    UPDATE experiment_blocks SET amount = amount - 1 WHERE block = OLD.id / 1024;
    UPDATE tallies SET amount = amount - 1 WHERE name = 'experiment.' || OLD.status;
    UPDATE tallies SET amount = amount - max(OLD.ended_at_ms - OLD.started_at_ms, 0)
    WHERE name = 'success.milliseconds' AND OLD.status = 'success' AND OLD.ended_at_ms IS NOT NULL;
END;

CREATE TRIGGER experiments_moved AFTER UPDATE OF status ON experiments
WHEN OLD.status <> NEW.status BEGIN
    UPDATE tallies SET amount = amount - 1 WHERE name = 'experiment.' || OLD.status;
    UPDATE tallies SET amount = amount + 1 WHERE name = 'experiment.' || NEW.status;
    UPDATE tallies SET amount = amount + max(NEW.ended_at_ms - NEW.started_at_ms, 0)
    WHERE name = 'success.milliseconds' AND NEW.status = 'success' AND NEW.ended_at_ms IS NOT NULL;
END;
