CREATE TABLE IF NOT EXISTS buckets (
    name                TEXT PRIMARY KEY,
    created             INTEGER NOT NULL,            -- milliseconds since the epoch, as all times here
    versioning          TEXT,                        -- Enabled, Suspended; null: never on
    event_bridge        INTEGER NOT NULL DEFAULT 0,
    encryption          TEXT,                        -- JSON
    public_access_block TEXT,                        -- JSON
    ownership           TEXT,
    tags                TEXT                         -- JSON: a list of [key, value]
) WITHOUT ROWID;

-- Every version of every object. An object's newest version is its row with the highest id.
CREATE TABLE IF NOT EXISTS object_versions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket        TEXT NOT NULL REFERENCES buckets (name),
    key           TEXT NOT NULL,
    version       TEXT NOT NULL,    -- the version id; 'null' outside versioning
    latest        INTEGER NOT NULL,
    delete_marker INTEGER NOT NULL,
    size          INTEGER NOT NULL,
    etag          TEXT NOT NULL,
    modified      INTEGER NOT NULL,
    file          TEXT,             -- below objects/; null for a delete marker and for what is in small_contents
    attributes    TEXT NOT NULL,    -- JSON: content type and the like
    checksum      TEXT              -- JSON
);
CREATE UNIQUE INDEX IF NOT EXISTS object_versions_by_version ON object_versions (bucket, key, version);
CREATE INDEX IF NOT EXISTS latest_objects ON object_versions (bucket, key) WHERE latest;

-- The bytes of small objects.
CREATE TABLE IF NOT EXISTS small_contents (
    version INTEGER PRIMARY KEY REFERENCES object_versions (id) ON DELETE CASCADE,
    bytes   BLOB NOT NULL
);

CREATE TABLE IF NOT EXISTS uploads (
    id            TEXT PRIMARY KEY,
    bucket        TEXT NOT NULL REFERENCES buckets (name) ON DELETE CASCADE,
    key           TEXT NOT NULL,
    created       INTEGER NOT NULL,
    attributes    TEXT NOT NULL,
    algorithm     TEXT NOT NULL,    -- of the checksum
    composite     INTEGER NOT NULL  -- whether the checksum is one of the parts' checksums
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket, key, created);

CREATE TABLE IF NOT EXISTS parts (
    upload   TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    etag     TEXT NOT NULL,
    size     INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    file     TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
