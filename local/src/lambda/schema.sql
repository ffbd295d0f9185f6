-- Functions, by name. Their code is unpacked in the data folder, by its hash.
CREATE TABLE IF NOT EXISTS functions (
    name          TEXT PRIMARY KEY,
    configuration TEXT NOT NULL,    -- FunctionConfiguration, JSON
    tags          TEXT NOT NULL     -- JSON object
);
