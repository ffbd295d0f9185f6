CREATE TABLE IF NOT EXISTS rest_apis (
    id       TEXT PRIMARY KEY,
    api      TEXT NOT NULL,     -- RestApi, JSON
    document TEXT NOT NULL      -- the OpenAPI document, JSON
);
CREATE TABLE IF NOT EXISTS deployments (
    id         TEXT PRIMARY KEY,
    api        TEXT NOT NULL,
    deployment TEXT NOT NULL,   -- Deployment, JSON
    document   TEXT NOT NULL    -- what was deployed
);
CREATE TABLE IF NOT EXISTS stages (
    api   TEXT NOT NULL,
    name  TEXT NOT NULL,
    stage TEXT NOT NULL,        -- Stage, JSON
    PRIMARY KEY (api, name)
) WITHOUT ROWID;
