#pragma once

#include <cstdint>
#include <string_view>

/// The one table that says what PostgreSQL's SQLSTATEs mean to whoever asked: the load, the consumer's
/// stream, and the look-ups that walstorm makes for itself.
namespace walstorm::postgres {

enum class Refusal : std::uint8_t {
  /// The transaction was rolled back because of others (serialization, deadlock, a lock), a time limit or a
  /// cancel, not because of what it does. The session goes on. The load counts it and writes the same batch
  /// again; a look-up that changes nothing is asked again.
  rolled_back,
  /// The session ends with it (shutdown, crash, an idle or transaction limit, a broken connection): what was
  /// under way is settled and done again in another one.
  session_ended,
  /// The server lacks something (disk, memory, connections) or is broken. What only waits for the server asks
  /// again later; the load ends the run.
  unavailable,
  /// It would be refused again: ends the run.
  final,
};

/// By the SQLSTATE of an error, https://www.postgresql.org/docs/current/errcodes-appendix.html. An empty one
/// is libpq's own word: no server said it, so the session is of no use.
[[nodiscard]] Refusal refusal_of(std::string_view sqlstate);

/// What keeps rolling a load back, and what to change: a sentence for each SQLSTATE of Refusal::rolled_back
/// or session_ended that a setting or somebody else causes; empty for others.
[[nodiscard]] std::string_view rollback_advice(std::string_view sqlstate);

/// For a lost connection with which no SQLSTATE came: connection_failure.
inline constexpr std::string_view kConnectionFailure = "08006";

}  // namespace walstorm::postgres
