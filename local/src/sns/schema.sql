CREATE TABLE IF NOT EXISTS topics (
    name         TEXT PRIMARY KEY,
    policy       TEXT NOT NULL,  -- JSON, as it was set
    display_name TEXT NOT NULL,
    tags         TEXT NOT NULL   -- JSON: a list of {Key, Value}
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (
    topic     TEXT NOT NULL REFERENCES topics (name) ON DELETE CASCADE,
    endpoint  TEXT NOT NULL,     -- an e-mail address
    id        TEXT NOT NULL,     -- the end of its ARN
    confirmed INTEGER NOT NULL,
    PRIMARY KEY (topic, endpoint)
) WITHOUT ROWID;
