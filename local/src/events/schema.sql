-- Events that were acknowledged and not yet delivered.
CREATE TABLE IF NOT EXISTS pending_events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    body    TEXT NOT NULL,      -- the whole event, JSON
    created INTEGER NOT NULL    -- milliseconds since the epoch
);
CREATE TABLE IF NOT EXISTS rules (
    name        TEXT PRIMARY KEY,
    pattern     TEXT NOT NULL,
    state       TEXT NOT NULL,  -- ENABLED or DISABLED
    description TEXT NOT NULL,
    tags        TEXT NOT NULL   -- JSON array of {Key, Value}
);
CREATE TABLE IF NOT EXISTS targets (
    rule   TEXT NOT NULL REFERENCES rules (name),
    id     TEXT NOT NULL,
    target TEXT NOT NULL,       -- Target, JSON
    PRIMARY KEY (rule, id)
) WITHOUT ROWID;
-- Deliveries that failed and are tried again.
CREATE TABLE IF NOT EXISTS failed_deliveries (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    rule    TEXT NOT NULL,
    target  TEXT NOT NULL,      -- the target's id
    body    TEXT NOT NULL,      -- the whole event, JSON
    queued  INTEGER NOT NULL,   -- when the event was, milliseconds since the epoch
    due     INTEGER NOT NULL,   -- when it is tried again, milliseconds since the epoch
    retries INTEGER NOT NULL    -- how often it was tried again
);
CREATE INDEX IF NOT EXISTS failed_deliveries_by_due ON failed_deliveries (due);
