#include "pgoutput_bytes.h"

#include "proto/workload/task_run_table.h"

namespace walstorm::consumer::test {
namespace {

/// Big-endian, as everything in the protocol.
template <typename T>
std::string number(T value) {
  std::string bytes;
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> shift);
  }
  return bytes;
}

std::string head(char tag, std::uint32_t xid) {
  return xid == 0 ? std::string(1, tag) : tag + number(xid);
}

std::string text(std::string_view value) {
  return std::string(value) + '\0';
}

std::string column(std::string_view name, std::uint32_t type_oid) {
  return '\1' + text(name) + number(type_oid) + number<std::uint32_t>(0xffffffff);
}

std::string text_value(std::string_view value) {
  return 't' + number(static_cast<std::uint32_t>(value.size())) + std::string(value);
}

std::string tuple(const OptionalTexts& values, char absent) {
  std::string bytes = number(static_cast<std::uint16_t>(values.size()));
  for (const auto& value : values) bytes += value ? text_value(*value) : std::string(1, absent);
  return bytes;
}

}  // namespace

std::string begin(std::uint64_t final_lsn, std::uint32_t xid) {
  return 'B' + number(final_lsn) + number<std::uint64_t>(0) + number(xid);
}

std::string commit(std::uint64_t commit_lsn, std::uint64_t end_lsn) {
  return 'C' + std::string(1, '\0') + number(commit_lsn) + number(end_lsn) + number<std::uint64_t>(0);
}

std::string stream_start(std::uint32_t xid, bool first_segment) {
  return head('S', xid) + (first_segment ? '\1' : '\0');
}

std::string stream_stop() {
  return "E";
}

std::string stream_commit(std::uint32_t xid, std::uint64_t commit_lsn, std::uint64_t end_lsn) {
  return head('c', xid) + '\0' + number(commit_lsn) + number(end_lsn) + number<std::uint64_t>(0);
}

std::string stream_abort(std::uint32_t xid, std::uint32_t subtransaction_xid) {
  return head('A', xid) + number(subtransaction_xid);
}

std::string relation(std::uint32_t xid, std::uint32_t relation_id) {
  return head('R', xid) + number(relation_id) + text("public") + text("run") + 'f' +
         number<std::uint16_t>(2) + column("id", 25) + column("row_hash", 20);
}

std::string relation_of(std::uint32_t relation_id,
                        const std::vector<std::pair<std::string_view, std::uint32_t>>& columns) {
  std::string message = 'R' + number(relation_id) + text("public") + text("run") + 'f' +
                        number(static_cast<std::uint16_t>(columns.size()));
  for (const auto& [name, type_oid] : columns) message += column(name, type_oid);
  return message;
}

std::string update(std::uint32_t relation_id, char old_kind, const OptionalTexts& before,
                   const OptionalTexts& after) {
  return 'U' + number(relation_id) + old_kind + tuple(before, 'n') + 'N' + tuple(after, 'u');
}

std::string insert(std::uint32_t xid, std::uint32_t relation_id, std::string_view id,
                   std::uint64_t row_hash) {
  return head('I', xid) + number(relation_id) + 'N' + number<std::uint16_t>(2) + text_value(id) +
         text_value(std::to_string(row_hash));
}

std::string truncate(std::uint32_t xid, std::uint32_t relation_id) {
  return head('T', xid) + number<std::uint32_t>(1) + '\0' + number(relation_id);
}

std::string marker(std::uint32_t xid, bool transactional, std::string_view content) {
  return head('M', xid) + (transactional ? '\1' : '\0') + number<std::uint64_t>(77) +
         text(wire::kMarkerPrefix) + number(static_cast<std::uint32_t>(content.size())) +
         std::string(content);
}

}  // namespace walstorm::consumer::test
