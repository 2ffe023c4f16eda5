#include "producer/rows/row_facts.h"

namespace walstorm::producer {
namespace {

constexpr std::int64_t kFirstRowUnixMs = 1'735'689'600'000;  // 2025-01-01T00:00:00Z
constexpr std::int64_t kMsPerRow = 4;

/// The row's way through the states, from its key.
struct Walk {
  Status end = Status::completed;
  std::uint32_t end_version = 3;
  std::uint32_t skipped = 0;  // states left out between PENDING and EXECUTING
};

Walk walk_of(std::uint64_t key) {
  Walk walk;
  walk.skipped = (key >> 8) % 8 == 0 ? 1 : 0;
  walk.end_version = 3 - walk.skipped;
  const auto draw = below(static_cast<std::uint32_t>(key >> 32), 100);
  if (draw >= 85) {
    walk.end = Status::canceled;
    walk.end_version = 1 + static_cast<std::uint32_t>((key >> 16) % walk.end_version);
  } else if (draw >= 72) {
    walk.end = Status::failed;
  }
  return walk;
}

Status status_before_end(const Walk& walk, std::uint32_t version) {
  const std::uint32_t step = version == 0 ? 0 : version + walk.skipped;
  if (step == 0) return Status::pending;
  return step == 1 ? Status::queued : Status::executing;
}

}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Status::pending:
      return "PENDING";
    case Status::queued:
      return "QUEUED";
    case Status::executing:
      return "EXECUTING";
    case Status::completed:
      return "COMPLETED";
    case Status::failed:
      return "FAILED";
    case Status::canceled:
      return "CANCELED";
  }
  return "";
}

std::int64_t created_unix_ms(std::uint64_t key, RowId id) {
  return kFirstRowUnixMs + static_cast<std::int64_t>(id.sequence()) * kMsPerRow +
         static_cast<std::int64_t>(key % kMsPerRow);
}

RowFacts facts_of(std::uint64_t seed, RowVersion row) {
  RowFacts facts;
  facts.row = row;
  facts.key = row_key(seed, row.id);
  facts.hash = row_hash(seed, row);
  facts.created_ms = created_unix_ms(facts.key, row.id);
  const Walk walk = walk_of(facts.key);
  const auto step_ms = static_cast<std::int64_t>(20 + (facts.key >> 20) % 2000);
  facts.updated_ms = facts.created_ms + std::int64_t{row.version} * step_ms;
  if (row.version < walk.end_version) {
    facts.status = status_before_end(walk, row.version);
    if (facts.status == Status::executing) facts.started_ms = facts.updated_ms;
    return facts;
  }
  facts.status = walk.end;
  facts.attempt = static_cast<std::int32_t>(1 + row.version - walk.end_version);
  facts.completed_ms = facts.updated_ms;
  if (status_before_end(walk, walk.end_version - 1) == Status::executing) {
    facts.usage_ms = 1 + static_cast<std::int64_t>(facts.hash % static_cast<std::uint64_t>(step_ms));
    facts.started_ms = facts.updated_ms - facts.usage_ms;
  }
  return facts;
}

}  // namespace walstorm::producer
