#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace walstorm::consumer::test {

/// Messages of pgoutput as a server writes them, for what is hard to make one send. `xid` 0: outside a
/// streamed block. The table has the columns id (text) and row_hash (bigint), in text form.

[[nodiscard]] std::string begin(std::uint64_t final_lsn, std::uint32_t xid);
[[nodiscard]] std::string commit(std::uint64_t commit_lsn, std::uint64_t end_lsn);
[[nodiscard]] std::string stream_start(std::uint32_t xid, bool first_segment);
[[nodiscard]] std::string stream_stop();
[[nodiscard]] std::string stream_commit(std::uint32_t xid, std::uint64_t commit_lsn, std::uint64_t end_lsn);
[[nodiscard]] std::string stream_abort(std::uint32_t xid, std::uint32_t subtransaction_xid);
[[nodiscard]] std::string relation(std::uint32_t xid, std::uint32_t relation_id);
/// A description with other columns: (name, object id of its type).
[[nodiscard]] std::string relation_of(std::uint32_t relation_id,
                                      const std::vector<std::pair<std::string_view, std::uint32_t>>& columns);
/// An update with its old row ('O', REPLICA IDENTITY FULL), or with its old key ('K'); nullopt in `after` is
/// unchanged TOAST, in `before` NULL.
using OptionalTexts = std::vector<std::optional<std::string>>;
[[nodiscard]] std::string update(std::uint32_t relation_id, char old_kind, const OptionalTexts& before,
                                 const OptionalTexts& after);
[[nodiscard]] std::string insert(std::uint32_t xid, std::uint32_t relation_id, std::string_view id,
                                 std::uint64_t row_hash);
[[nodiscard]] std::string truncate(std::uint32_t xid, std::uint32_t relation_id);
[[nodiscard]] std::string marker(std::uint32_t xid, bool transactional, std::string_view content);

}  // namespace walstorm::consumer::test
