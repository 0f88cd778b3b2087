-- What a thousand workers would wait for.

-- The next task to claim is found without sorting all that run. No lease is in here: renewing one
-- leaves indexes as they are.
CREATE INDEX tasks_by_turn ON tasks (started_at_ms, id) WHERE status = 'running';

-- Counts in parts, so that workers who count do not wait for each other: each connection counts in
-- its own, and the amount is the sum. That one part counts less than nothing is as it should be.

ALTER TABLE tallies RENAME TO tally_parts;
ALTER TABLE tally_parts ADD COLUMN part BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tally_parts ALTER COLUMN part DROP DEFAULT;
ALTER TABLE tally_parts DROP CONSTRAINT tallies_pkey;
ALTER TABLE tally_parts ADD CONSTRAINT tally_parts_pkey PRIMARY KEY (name, part);
-- Room beside each row for what it will be: many versions of few rows.
ALTER TABLE tally_parts SET (fillfactor = 20);
INSERT INTO tally_parts (name, part, amount)
SELECT t.name, p.part, 0 FROM tally_parts t, generate_series(1, 63) p (part);

CREATE VIEW tallies AS
SELECT name, CAST(sum(amount) AS BIGINT) AS amount FROM tally_parts GROUP BY name;

-- Whoever counts takes one row of the part first, and so waits for whoever counts in it already:
-- two connections may have one.
CREATE FUNCTION tally_part() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    mine CONSTANT bigint := pg_backend_pid() % 64;
BEGIN
    PERFORM 1 FROM tally_parts WHERE name = 'success.milliseconds' AND part = mine FOR UPDATE;
    RETURN mine;
END $$;

CREATE OR REPLACE FUNCTION tasks_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mine CONSTANT bigint := tally_part();
BEGIN
    UPDATE tally_parts t SET amount = t.amount + x.amount
    FROM (SELECT status, count(*) AS amount FROM added GROUP BY status) x
    WHERE t.name = 'task.' || x.status AND t.part = mine;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tasks_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mine CONSTANT bigint := tally_part();
BEGIN
    UPDATE tally_parts t SET amount = t.amount - x.amount
    FROM (SELECT status, count(*) AS amount FROM removed GROUP BY status) x
    WHERE t.name = 'task.' || x.status AND t.part = mine;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tasks_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mine CONSTANT bigint := tally_part();
BEGIN
    UPDATE tally_parts SET amount = amount - 1 WHERE name = 'task.' || OLD.status AND part = mine;
    UPDATE tally_parts SET amount = amount + 1 WHERE name = 'task.' || NEW.status AND part = mine;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION experiments_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mine CONSTANT bigint := tally_part();
BEGIN
    INSERT INTO experiment_blocks AS b (block, amount)
    SELECT id / 1024, count(*) FROM added GROUP BY id / 1024 ORDER BY 1
    ON CONFLICT (block) DO UPDATE SET amount = b.amount + excluded.amount;
    UPDATE tally_parts t SET amount = t.amount + x.amount
    FROM (SELECT status, count(*) AS amount FROM added GROUP BY status) x
    WHERE t.name = 'experiment.' || x.status AND t.part = mine;
    UPDATE tally_parts t SET amount = t.amount + x.amount
    FROM (SELECT CAST(sum(greatest(ended_at_ms - started_at_ms, 0)) AS BIGINT) AS amount FROM added
        WHERE status = 'success') x
    WHERE t.name = 'success.milliseconds' AND t.part = mine AND x.amount IS NOT NULL;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION experiments_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mine CONSTANT bigint := tally_part();
BEGIN
    UPDATE experiment_blocks SET amount = experiment_blocks.amount - x.amount
    FROM (SELECT id / 1024 AS block, count(*) AS amount FROM removed GROUP BY id / 1024) x
    WHERE experiment_blocks.block = x.block;
    UPDATE tally_parts t SET amount = t.amount - x.amount
    FROM (SELECT status, count(*) AS amount FROM removed GROUP BY status) x
    WHERE t.name = 'experiment.' || x.status AND t.part = mine;
    UPDATE tally_parts t SET amount = t.amount - x.amount
    FROM (SELECT CAST(sum(greatest(ended_at_ms - started_at_ms, 0)) AS BIGINT) AS amount FROM removed
        WHERE status = 'success') x
    WHERE t.name = 'success.milliseconds' AND t.part = mine AND x.amount IS NOT NULL;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION experiments_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mine CONSTANT bigint := tally_part();
BEGIN
    UPDATE tally_parts SET amount = amount - 1 WHERE name = 'experiment.' || OLD.status AND part = mine;
    UPDATE tally_parts SET amount = amount + 1 WHERE name = 'experiment.' || NEW.status AND part = mine;
    UPDATE tally_parts SET amount = amount + greatest(NEW.ended_at_ms - NEW.started_at_ms, 0)
    WHERE name = 'success.milliseconds' AND part = mine AND NEW.status = 'success' AND NEW.ended_at_ms IS NOT NULL;
    RETURN NULL;
END $$;
