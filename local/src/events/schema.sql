-- Events that were acknowledged and not yet delivered.
CREATE TABLE IF NOT EXISTS pending_events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    body    TEXT NOT NULL,      -- the whole event, JSON
    created INTEGER NOT NULL    -- milliseconds since the epoch
);
