-- That a run is under way: it says so when it begins, every ten seconds, and when it ends. walstorm clean looks here
-- before it drops anything. Times are the server's, so that no host's clock matters.
CREATE TABLE IF NOT EXISTS {database}.heartbeats
(
    run_id UInt64,
    number UInt64,
    at DateTime,
    ended UInt8
)
ENGINE = ReplacingMergeTree(number)
ORDER BY run_id
