-- What lists are filtered and sorted by, so that none of them reads the large parts of experiments.

-- The word of the failure; none where it was not ours to judge.
ALTER TABLE experiments ADD COLUMN failure_kind TEXT COLLATE "C";
UPDATE experiments
SET failure_kind = (SELECT r.failure::json ->> 'kind' FROM results r WHERE r.experiment = experiments.id)
WHERE status = 'failed';

-- Pages of a status come in its order; every other filter finds all that it looks at in here.
CREATE INDEX experiments_by_status
ON experiments (status, id, failure_kind, role, task, started_at_ms, ended_at_ms);
-- In the order that lists ask for: what has no end comes first, as in SQLite.
CREATE INDEX experiments_by_duration ON experiments ((ended_at_ms - started_at_ms) NULLS FIRST, id);
-- A run has a few at most: what the best is compared with is found without reading the rest, and
-- all that are neither are counted by counting these.
CREATE INDEX experiments_baselines ON experiments (task, run, number) WHERE role = 'baseline';
CREATE INDEX experiments_replicates ON experiments (task, run, number) WHERE role = 'replicate';
