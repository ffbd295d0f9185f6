-- Functions, by name. Their code is unpacked in the data folder, by its hash.
CREATE TABLE IF NOT EXISTS functions (
    name          TEXT PRIMARY KEY,
    configuration TEXT NOT NULL,    -- FunctionConfiguration, JSON
    tags          TEXT NOT NULL     -- JSON object
);
-- Events that were taken with 202 and are neither done nor given up.
CREATE TABLE IF NOT EXISTS queued_events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    function   TEXT NOT NULL,
    request_id TEXT NOT NULL,
    payload    BLOB NOT NULL,
    queued     INTEGER NOT NULL,    -- milliseconds since the epoch
    due        INTEGER NOT NULL,    -- when it is tried next, milliseconds since the epoch
    failures   INTEGER NOT NULL,    -- how often the function failed on it
    refusals   INTEGER NOT NULL     -- how often it did not reach the function
);
