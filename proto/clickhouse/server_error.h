#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "proto/clickhouse/http_client.h"

namespace walstorm::clickhouse {

/// An exception of ClickHouse as its text form has it, within the body of an answer.
struct ServerError {
  int code = 0;
  std::size_t at = 0;  ///< where in the body it begins; what stands before is output
};

/// Finds the exception in the body of an answer that may have begun well: once the first bytes of output are
/// on their way, the HTTP status says 200 and the exception follows what was sent. All servers' forms:
///   Code: 60. DB::Exception: Table ...                                    since 19
///   Code: 60, e.displayText() = DB::Exception: Table ..., e.what() = ...  18
///   std::exception. Code: 1001, ... and Poco::Exception. Code: 1000, ...
[[nodiscard]] std::optional<ServerError> find_server_error(std::string_view body);

/// The number after the first "Code: ", for a body that is known to be an error's; 0 where there is none.
[[nodiscard]] int code_in(std::string_view error_body);

/// Whether a header of that name tells that ClickHouse itself has answered: all its servers, 18.16 too, send
/// some X-ClickHouse-... with every answer to a statement, not with the greeting of GET /. A captive portal's
/// or a proxy's page has none, whatever its status.
[[nodiscard]] bool is_clickhouse_header(std::string_view name);

/// What an answer of status 200 without such a header is worth: `who` is the address, `page` the body.
[[nodiscard]] Answer not_clickhouse(const std::string& who, const std::string& page);

}  // namespace walstorm::clickhouse
