CREATE TABLE IF NOT EXISTS log_groups (
    name      TEXT PRIMARY KEY,
    created   INTEGER NOT NULL,  -- milliseconds since the epoch, as all times here
    retention INTEGER,           -- days; null: for ever
    tags      TEXT NOT NULL      -- JSON object
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS log_streams (
    id             INTEGER PRIMARY KEY,
    log_group      TEXT NOT NULL REFERENCES log_groups (name) ON DELETE CASCADE,
    name           TEXT NOT NULL,
    created        INTEGER NOT NULL,
    first_event    INTEGER,
    last_event     INTEGER,
    last_ingestion INTEGER,
    UNIQUE (log_group, name)
);

CREATE TABLE IF NOT EXISTS log_events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    stream   INTEGER NOT NULL REFERENCES log_streams (id) ON DELETE CASCADE,
    time     INTEGER NOT NULL,
    ingested INTEGER NOT NULL,
    message  TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS log_events_by_time ON log_events (stream, time, id);

CREATE TABLE IF NOT EXISTS log_resource_policies (
    name     TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    updated  INTEGER NOT NULL
) WITHOUT ROWID;
