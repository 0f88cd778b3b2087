-- Who runs tasks, and what each does at the moment: for people to look at. Nothing rests on it.
CREATE TABLE workers (
    owner TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    seen_at_ms BIGINT NOT NULL,
    board TEXT NOT NULL
);
