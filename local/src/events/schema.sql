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
