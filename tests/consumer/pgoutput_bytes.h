#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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
[[nodiscard]] std::string insert(std::uint32_t xid, std::uint32_t relation_id, std::string_view id,
                                 std::uint64_t row_hash);
[[nodiscard]] std::string truncate(std::uint32_t xid, std::uint32_t relation_id);
[[nodiscard]] std::string marker(std::uint32_t xid, bool transactional, std::string_view content);

}  // namespace walstorm::consumer::test
