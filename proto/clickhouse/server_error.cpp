#include "proto/clickhouse/server_error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fmt/format.h>

#include "proto/wire/utf8.h"

namespace walstorm::clickhouse {
namespace {

constexpr std::string_view kCode = "Code: ";

/// ClickHouse's codes (src/Common/ErrorCodes.cpp) of what may well pass by itself, in order.
constexpr std::array kPassing{
    95,   // CANNOT_READ_FROM_SOCKET: between its servers
    96,   // CANNOT_WRITE_TO_SOCKET
    159,  // TIMEOUT_EXCEEDED: max_execution_time, under load
    173,  // CANNOT_ALLOCATE_MEMORY
    198,  // DNS_ERROR: of a replica's name
    202,  // TOO_MANY_SIMULTANEOUS_QUERIES
    203,  // NO_FREE_CONNECTION
    209,  // SOCKET_TIMEOUT
    210,  // NETWORK_ERROR
    225,  // NO_ZOOKEEPER: not connected to it, at the moment
    236,  // ABORTED: the server is shutting down
    241,  // MEMORY_LIMIT_EXCEEDED
    242,  // TABLE_IS_READ_ONLY: a replica that has lost its keeper
    244,  // UNEXPECTED_ZOOKEEPER_ERROR
    252,  // TOO_MANY_PARTS: until merges have caught up
    254,  // NO_ACTIVE_REPLICAS
    265,  // NO_AVAILABLE_REPLICA
    279,  // ALL_CONNECTION_TRIES_FAILED
    285,  // TOO_FEW_LIVE_REPLICAS: for the quorum
    286,  // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
    297,  // SHARD_HAS_NO_CONNECTIONS
    319,  // UNKNOWN_STATUS_OF_INSERT: lost its keeper in mid-insert; the same block again settles it
    364,  // RECEIVED_ERROR_TOO_MANY_REQUESTS
    369,  // ALL_REPLICAS_ARE_STALE
    384,  // PART_IS_TEMPORARILY_LOCKED
    394,  // QUERY_WAS_CANCELLED: by an operator or a shutdown
    416,  // REPLICA_STATUS_CHANGED
    439,  // CANNOT_SCHEDULE_TASK: no thread is free
    473,  // DEADLOCK_AVOIDED: waited too long for the table's lock
    499,  // S3_ERROR: of the storage below
    574,  // DISTRIBUTED_TOO_MANY_PENDING_BYTES
    677,  // THREAD_WAS_CANCELED
    693,  // AWS_ERROR
    733,  // TABLE_IS_BEING_RESTARTED
    745,  // SERVER_OVERLOADED
    749,  // TCP_CONNECTION_LIMIT_REACHED
    762,  // HTTP_CONNECTION_LIMIT_REACHED
    778,  // MEMORY_RESERVATION_FAILED
    999,  // KEEPER_EXCEPTION
};
static_assert(std::is_sorted(kPassing.begin(), kPassing.end()));

/// Of servers that say no code: a proxy before ClickHouse, or one that is going up or down.
bool passing_status(int http_status) {
  switch (http_status) {
    case 408:  // Request Timeout
    case 429:  // Too Many Requests
    case 500:  // Internal Server Error
    case 502:  // Bad Gateway
    case 503:  // Service Unavailable
    case 504:  // Gateway Timeout
      return true;
    default:
      return false;
  }
}

/// The number that `text` begins with; 0 where it begins with none.
int leading_number(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::optional<ServerError> find_server_error(std::string_view body) {
  for (std::size_t at = body.find(kCode); at != std::string_view::npos; at = body.find(kCode, at + 1)) {
    const std::string_view before = body.substr(0, at);
    std::string_view after = body.substr(at + kCode.size());
    const int code = leading_number(after);
    if (code <= 0) continue;
    for (const std::string_view prefix : {"std::exception. ", "Poco::Exception. "}) {
      if (before.ends_with(prefix)) return ServerError{code, at - prefix.size()};
    }
    after.remove_prefix(std::min(after.size(), after.find_first_not_of("0123456789")));
    if (after.starts_with(". DB::") || after.starts_with(", e.displayText() = DB::"))
      return ServerError{code, at};
  }
  return std::nullopt;
}

int code_in(std::string_view error_body) {
  const std::size_t at = error_body.find(kCode);
  return at == std::string_view::npos ? 0 : leading_number(error_body.substr(at + kCode.size()));
}

bool is_clickhouse_header(std::string_view name) {
  constexpr std::string_view kPrefix = "x-clickhouse-";
  const auto lower = [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); };
  return name.size() > kPrefix.size() && std::equal(kPrefix.begin(), kPrefix.end(), name.begin(),
                                                    [&](char a, char b) { return a == lower(b); });
}

Answer not_clickhouse(const std::string& who, const std::string& page) {
  constexpr std::size_t kShown = 120;
  std::string start(wire::utf8_prefix(wire::to_utf8(page.substr(0, 4 * kShown)), kShown));
  std::replace_if(
      start.begin(), start.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  // Whether the statement reached a ClickHouse behind whoever this is, nobody knows.
  return {.kind = Answer::Kind::no_answer,
          .http_status = 200,
          .text = fmt::format(
              "{} answers, but not as ClickHouse does: a proxy, a login page or another server is "
              "there. It says: {}",
              who, start.empty() ? "nothing" : start)};
}

bool worth_a_retry(const Answer& answer) {
  switch (answer.kind) {
    case Answer::Kind::done:
      return false;
    case Answer::Kind::no_answer:
      return true;
    case Answer::Kind::refused:
      break;
  }
  // The one use of TOO_MANY_PARTS that no waiting mends: max_partitions_per_insert_block.
  if (answer.text.find("for single INSERT block") != std::string::npos) return false;
  if (answer.code != 0) return std::binary_search(kPassing.begin(), kPassing.end(), answer.code);
  return passing_status(answer.http_status);
}

}  // namespace walstorm::clickhouse
