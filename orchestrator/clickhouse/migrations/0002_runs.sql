-- The runs whose rows are in task_runs, so that people can tell them apart.
CREATE TABLE IF NOT EXISTS {database}.runs
(
    run_id UInt64,
    name String,
    started_at {Time},
    host String,
    tool_version String
)
ENGINE = MergeTree
ORDER BY run_id
