-- What was counted of a metric in one minute.
CREATE TABLE IF NOT EXISTS metric_minutes (
    namespace  TEXT NOT NULL,
    metric     TEXT NOT NULL,
    dimensions TEXT NOT NULL,     -- JSON: a list of [name, value] in the order of the names
    unit       TEXT NOT NULL,
    minute     INTEGER NOT NULL,  -- its start, seconds since the epoch
    aggregate  TEXT NOT NULL,     -- JSON: count, sum, minimum, maximum and a histogram
    PRIMARY KEY (namespace, metric, dimensions, unit, minute)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dashboards (
    name     TEXT PRIMARY KEY,
    body     TEXT NOT NULL,     -- JSON, as it was put
    modified INTEGER NOT NULL,  -- seconds since the epoch
    tags     TEXT NOT NULL      -- JSON: a list of {Key, Value}
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarms (
    name       TEXT PRIMARY KEY,
    definition TEXT NOT NULL,     -- JSON: MetricAlarm, without its state
    changed    INTEGER NOT NULL,  -- seconds since the epoch
    state      TEXT NOT NULL,     -- OK, ALARM or INSUFFICIENT_DATA, as it was found last
    reason     TEXT NOT NULL,
    since      INTEGER NOT NULL,  -- when it came to be so, seconds since the epoch
    tags       TEXT NOT NULL      -- JSON: a list of {Key, Value}
) WITHOUT ROWID;
