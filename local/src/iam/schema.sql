CREATE TABLE IF NOT EXISTS roles (
    name        TEXT PRIMARY KEY COLLATE NOCASE,
    role_id     TEXT NOT NULL,
    path        TEXT NOT NULL,
    created     INTEGER NOT NULL,  -- seconds since the epoch
    trust       TEXT NOT NULL,     -- the trust policy, JSON
    description TEXT NOT NULL,
    max_session INTEGER NOT NULL,  -- seconds
    tags        TEXT NOT NULL      -- JSON object
);

CREATE TABLE IF NOT EXISTS role_policies (
    role     TEXT NOT NULL COLLATE NOCASE REFERENCES roles (name),
    name     TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (role, name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS attached_policies (
    role TEXT NOT NULL COLLATE NOCASE REFERENCES roles (name),
    arn  TEXT NOT NULL,
    PRIMARY KEY (role, arn)
) WITHOUT ROWID;
