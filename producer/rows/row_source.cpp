#include "producer/rows/row_source.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <string_view>

#include "producer/rows/append.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::producer {
namespace {

constexpr std::uint32_t kOrganizations = 8;
constexpr std::uint32_t kProjectsPerOrganization = 3;
constexpr std::uint32_t kEnvironmentsPerProject = 3;

// More than all columns but the payload can need together: texts of at most 40 bytes, an output or error of
// at most 130, four tags.
constexpr std::size_t kRowRoomWithoutPayload = 2048;

constexpr std::array<std::string_view, 12> kTaskIdentifiers{
    "send-welcome-email", "process-webhook", "sync-inventory",   "generate-invoice",
    "resize-image",       "transcode-video", "index-document",   "größe-berechnen",
    "daily-digest",       "画像-変換",       "refresh-exchange", "rotate-api-keys"};
constexpr std::array<std::string_view, 5> kQueues{"default", "critical", "bulk-import", "emails",
                                                  "kö-standard"};
constexpr std::array<std::string_view, 16> kTags{
    "priority:high", "priority:low", "région:europe", "region:us-east", "plan:free", "plan:pro",
    "顧客:東京",     "source:api",   "source:cron",   "beta",           "🚀 launch",  "quote\"back\\slash",
    "a, b {c}",      "retryable",    "internal",      "tenant:größe"};
constexpr std::array<std::string_view, 4> kErrorNames{"TimeoutError", "ConnectionReset", "ValidationError",
                                                      "Überlauf"};
constexpr std::size_t kTagsMax = 4;
constexpr double kCentsPerMs = 0.0000338;
constexpr double kCentsPerAttempt = 0.0025;
constexpr std::uint32_t kTextOid = 25;  // src/include/catalog/pg_type.dat

// Salts: each column that wants random bits of its own mixes the row's with one of these.
enum Salt : std::uint64_t {
  kTaskSalt = 1,
  kOwnerSalt,
  kQueueSalt,
  kTagSalt,
  kTraceSalt,
  kSpanSalt,
  kOutputSalt
};

std::uint64_t bits(std::uint64_t key, Salt salt) {
  return mix64(key + salt * kGolden);
}

std::uint32_t high(std::uint64_t draw) {
  return static_cast<std::uint32_t>(draw >> 32);
}
std::uint32_t low(std::uint64_t draw) {
  return static_cast<std::uint32_t>(draw);
}

/// Below `bound`, small numbers more often: the smaller of two draws.
std::uint32_t skewed(std::uint64_t draw, std::uint32_t bound) {
  return below(std::min(high(draw), low(draw)), bound);
}

char* append_decimal(std::uint64_t value, char* out) {
  return std::to_chars(out, out + 20, value).ptr;
}

template <int kDigits>
char* append_base36(std::uint64_t value, char* out) {
  for (int at = kDigits - 1; at >= 0; --at) {
    out[at] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % 36];
    value /= 36;
  }
  return out + kDigits;
}

char* append_hex(std::uint64_t value, char* out) {
  for (int at = 15; at >= 0; --at) {
    out[at] = "0123456789abcdef"[value & 0xF];
    value >>= 4;
  }
  return out + 16;
}

/// 24 characters: 8 of the creation time, 4 of the slot, 12 random. Time is injective in the row's number
/// within a slot, and 36^4 exceeds RowId::kSlotsMax: no two rows share the first 12. Ordered by time, so that
/// the primary key grows at its right edge as a real one does. Holds for 2^37 rows of a slot; then the 8
/// digits are full.
char* append_unique(std::uint64_t seed, RowId id, char* out) {
  const std::uint64_t key = row_key(seed, id);
  out = append_base36<8>(static_cast<std::uint64_t>(created_unix_ms(key, id)), out);
  out = append_base36<4>(id.slot(), out);
  return append_base36<12>(key % 4'738'381'338'321'616'896U, out);  // 36^12
}

/// A run is started by an earlier one of the same connection.
RowId parent_of(RowId id) {
  return RowId::of(id.slot(), id.sequence() / 2);
}

std::string owner_id(std::string_view prefix, std::uint64_t seed, std::size_t number) {
  std::string id(prefix);
  id.resize(prefix.size() + 12);
  append_base36<12>(mix64(mix64(seed ^ prefix.size()) + number) >> 2, id.data() + prefix.size());
  return id;
}

/// Positions in the lists of ids: an environment belongs to one project, a project to one organization.
struct Owner {
  std::size_t organization = 0;
  std::size_t project = 0;
  std::size_t environment = 0;
};

Owner owner_of(std::uint64_t key) {
  const std::uint64_t draw = bits(key, kOwnerSalt);
  Owner owner;
  owner.organization = skewed(draw, kOrganizations);
  owner.project = owner.organization * kProjectsPerOrganization + draw % kProjectsPerOrganization;
  owner.environment = owner.project * kEnvironmentsPerProject + (draw >> 8) % kEnvironmentsPerProject;
  return owner;
}

char* append_output(const RowFacts& facts, char* out) {
  out = append(R"({"ok":true,"processed":)", out);
  out = append_decimal(facts.hash % 100'000, out);
  out = append(R"(,"checksum":")", out);
  out = append_hex(bits(facts.hash, kOutputSalt), out);
  return append(R"("})", out);
}

char* append_error(const RowFacts& facts, char* out) {
  out = append(R"({"type":"BUILT_IN_ERROR","name":")", out);
  out = append(kErrorNames[facts.hash % kErrorNames.size()], out);
  out = append(R"(","message":"attempt )", out);
  out = append_decimal(static_cast<std::uint64_t>(facts.attempt), out);
  out = append(" ended after ", out);
  out = append_decimal(static_cast<std::uint64_t>(facts.usage_ms), out);
  return append(R"( ms"})", out);
}

/// array_send: dimensions, null flag, element type, then for each dimension its size and lower bound, then
/// the elements, each with its length. An empty array has no dimension.
char* append_tags(std::uint64_t key, char* out) {
  const std::uint64_t draw = bits(key, kTagSalt);
  const auto count = below(high(draw), kTagsMax + 1);
  out = EncodedRows::write_number(std::uint32_t{count > 0 ? 1U : 0U}, out);
  out = EncodedRows::write_number(std::uint32_t{0}, out);
  out = EncodedRows::write_number(kTextOid, out);
  if (count == 0) return out;
  out = EncodedRows::write_number(count, out);
  out = EncodedRows::write_number(std::uint32_t{1}, out);
  for (std::uint32_t i = 0; i < count; ++i) {
    // An odd step visits all of a power of two: the tags of a row differ.
    const std::string_view tag = kTags[(low(draw) + i * 5) % kTags.size()];
    out = EncodedRows::write_number(static_cast<std::uint32_t>(tag.size()), out);
    out = append(tag, out);
  }
  return out;
}

void add_timestamp(std::optional<std::int64_t> unix_ms, EncodedRows& out) {
  if (!unix_ms) return out.add_null();
  out.add_number(static_cast<std::uint64_t>(*unix_ms * 1000 - wire::kPostgresEpochUnixUs));
}

void add_double(double value, EncodedRows& out) {
  out.add_number(std::bit_cast<std::uint64_t>(value));
}

}  // namespace

RowSource::RowSource(std::uint64_t seed, std::uint64_t payload_bytes_mean, double payload_entropy)
    : seed_(seed),
      payload_(payload_bytes_mean, payload_entropy),
      row_room_(kRowRoomWithoutPayload + payload_.room()) {
  const std::size_t projects = std::size_t{kOrganizations} * kProjectsPerOrganization;
  for (std::size_t i = 0; i < kOrganizations; ++i) organization_ids_.push_back(owner_id("org_", seed, i));
  for (std::size_t i = 0; i < projects; ++i) project_ids_.push_back(owner_id("proj_", seed, i));
  for (std::size_t i = 0; i < projects * kEnvironmentsPerProject; ++i) {
    environment_ids_.push_back(owner_id("envir_", seed, i));
  }
}

void RowSource::encode(RowVersion row, Columns columns, EncodedRows& out) const {
  const RowFacts facts = facts_of(seed_, row);
  out.begin_row(columns.size(), row_room_);
  for (const std::uint8_t column : columns) encode_column(column, facts, out);
}

void RowSource::encode_column(std::size_t column, const RowFacts& facts, EncodedRows& out) const {
  switch (column) {
    case wire::task_run_column("status"):
      return out.add(to_string(facts.status));
    case wire::task_run_column("output"):
      if (facts.status != Status::completed) return out.add_null();
      return out.add_written([&](char* at) { return append_output(facts, at); });
    case wire::task_run_column("error"):
      if (facts.status != Status::failed) return out.add_null();
      return out.add_written([&](char* at) { return append_error(facts, at); });
    case wire::task_run_column("attempt"):
      return out.add_number(static_cast<std::uint32_t>(facts.attempt));
    case wire::task_run_column("usageDurationMs"):
      return out.add_number(static_cast<std::uint64_t>(facts.usage_ms));
    case wire::task_run_column("costInCents"):
      return add_double(static_cast<double>(facts.usage_ms) * kCentsPerMs, out);
    case wire::task_run_column("baseCostInCents"):
      return add_double(facts.usage_ms > 0 ? facts.attempt * kCentsPerAttempt : 0, out);
    case wire::task_run_column("updatedAt"):
      return add_timestamp(facts.updated_ms, out);
    case wire::task_run_column("startedAt"):
      return add_timestamp(facts.started_ms, out);
    case wire::task_run_column("completedAt"):
      return add_timestamp(facts.completed_ms, out);
    case wire::task_run_column("row_hash"):
      return out.add_number(facts.hash);
    default:
      return encode_constant_column(column, facts, out);
  }
}

void RowSource::encode_constant_column(std::size_t column, const RowFacts& facts, EncodedRows& out) const {
  const std::uint64_t key = facts.key;
  switch (column) {
    case wire::task_run_column("id"):
      return out.add_written([&](char* at) { return append_unique(seed_, facts.row.id, append("c", at)); });
    case wire::task_run_column("friendlyId"):
      return out.add_written(
          [&](char* at) { return append_unique(seed_, facts.row.id, append("run_", at)); });
    case wire::task_run_column("taskIdentifier"):
      return out.add(kTaskIdentifiers[skewed(bits(key, kTaskSalt), kTaskIdentifiers.size())]);
    case wire::task_run_column("organizationId"):
      return out.add(organization_ids_[owner_of(key).organization]);
    case wire::task_run_column("projectId"):
      return out.add(project_ids_[owner_of(key).project]);
    case wire::task_run_column("environmentId"):
      return out.add(environment_ids_[owner_of(key).environment]);
    case wire::task_run_column("queue"):
      return out.add(kQueues[skewed(bits(key, kQueueSalt), kQueues.size())]);
    case wire::task_run_column("payload"):
      return out.add_written([&](char* at) { return payload_.write(key, at); });
    case wire::task_run_column("payloadType"):
      return out.add(key % 16 == 0 ? "application/super+json" : "application/json");
    case wire::task_run_column("tags"):
      return out.add_written([&](char* at) { return append_tags(key, at); });
    case wire::task_run_column("traceId"):
      return out.add_written(
          [&](char* at) { return append_hex(key, append_hex(bits(key, kTraceSalt), at)); });
    case wire::task_run_column("spanId"):
      return out.add_written([&](char* at) { return append_hex(bits(key, kSpanSalt), at); });
    case wire::task_run_column("parentRunId"):
      if (key % 8 != 1 || facts.row.id.sequence() == 0) return out.add_null();
      return out.add_written(
          [&](char* at) { return append_unique(seed_, parent_of(facts.row.id), append("c", at)); });
    case wire::task_run_column("isTest"):
      return out.add_number(static_cast<std::uint8_t>(key % 32 == 2 ? 1 : 0));
    case wire::task_run_column("createdAt"):
      return add_timestamp(facts.created_ms, out);
    default:
      throw wire::Error(wire::ErrorKind::internal, "a column of \"TaskRun\" that has no source");
  }
}

}  // namespace walstorm::producer
