-- The rows of "TaskRun", of all runs side by side. _run_id tells them apart: the same seed makes the same ids, and
-- without it in the sorting key a later run's rows would take the place of an earlier one's. In the partition
-- expression it lets a run be found, counted and dropped by its parts alone.
--
-- One statement a file. What stands in braces depends on the server and is filled in by migrations.cpp.
CREATE TABLE IF NOT EXISTS {database}.task_runs
(
    id String,
    friendly_id String,
    task_identifier {Word},
    status {Word},
    organization_id {Word},
    project_id {Word},
    environment_id {Word},
    queue {Word},
    payload String,
    payload_type {Word},
    output Nullable(String),
    error Nullable(String),
    tags Array(String),
    trace_id String,
    span_id String,
    parent_run_id Nullable(String),
    attempt Int32,
    is_test UInt8,
    usage_duration_ms Int64,
    cost_in_cents Float64,
    base_cost_in_cents Float64,
    created_at {Time},
    updated_at {Time},
    started_at Nullable({Time}),
    completed_at Nullable({Time}),
    row_hash UInt64,
    _version UInt64,
    _is_deleted UInt8,
    _run_id UInt64
)
ENGINE = ReplacingMergeTree({versions})
PARTITION BY (_run_id, {month_of_created_at})
ORDER BY (organization_id, project_id, environment_id, created_at, id, _run_id)
{deduplication}
