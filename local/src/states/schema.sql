CREATE TABLE IF NOT EXISTS state_machines (
    name     TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,      -- the current row of state_machine_revisions
    created  INTEGER NOT NULL,      -- milliseconds since the epoch
    deleting INTEGER NOT NULL DEFAULT 0,
    tags     TEXT NOT NULL          -- JSON array of {key, value}
);
-- What a state machine was at a time: an execution keeps to what it began with.
CREATE TABLE IF NOT EXISTS state_machine_revisions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    definition TEXT NOT NULL,
    role_arn   TEXT NOT NULL,
    logging    TEXT NOT NULL,       -- loggingConfiguration, JSON
    tracing    TEXT NOT NULL,       -- tracingConfiguration, JSON
    updated    INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS executions (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    machine  TEXT NOT NULL,         -- the state machine's name
    name     TEXT NOT NULL,
    revision INTEGER NOT NULL,
    status   TEXT NOT NULL,
    input    TEXT NOT NULL,
    started  INTEGER NOT NULL,
    stopped  INTEGER,
    output   TEXT,
    error    TEXT,
    cause    TEXT,
    run      TEXT,                  -- where a running execution stands, JSON; null before its first stop
    UNIQUE (machine, name)
);
CREATE INDEX IF NOT EXISTS executions_by_status ON executions (machine, status, id);
CREATE INDEX IF NOT EXISTS executions_running ON executions (status) WHERE status = 'RUNNING';
-- Histories, in the stretches in which they were written.
CREATE TABLE IF NOT EXISTS execution_events (
    execution INTEGER NOT NULL,
    first     INTEGER NOT NULL,     -- the id of the first event
    events    TEXT NOT NULL,        -- JSON array
    PRIMARY KEY (execution, first)
) WITHOUT ROWID;
