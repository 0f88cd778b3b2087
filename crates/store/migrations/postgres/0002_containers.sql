-- Containers that engines were started in, each with its experiment. Kept when they are gone, so
-- that who has a container's id finds what it was for. They go with their experiment.
CREATE TABLE containers (
    -- Docker's own id, never given to another.
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- A later container may have the same name.
    name TEXT COLLATE "C" NOT NULL,
    experiment BIGINT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    image TEXT COLLATE "C",
    started_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT
);
CREATE INDEX containers_by_name ON containers (name, started_at_ms);
CREATE INDEX containers_by_experiment ON containers (experiment);
