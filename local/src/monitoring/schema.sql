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
