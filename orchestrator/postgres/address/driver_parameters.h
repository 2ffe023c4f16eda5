#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/postgres/address/connection_url.h"

/// URLs are written for one driver and used with another. Each has parameters of its own, and libpq refuses
/// any that it does not know.
namespace walstorm::postgres {

struct DriverParameters {
  /// The search path's one schema (Prisma's schema, JDBC's currentSchema, pgx's search_path); empty for none.
  std::string schema;
  /// Names of those taken out because they say nothing about the server: pools, caches, fetch sizes.
  std::vector<std::string> ignored;
  /// What has to be taken out or written otherwise, a sentence for each parameter, by its name.
  std::vector<std::string> problems;
};

/// Leaves in `url` what libpq of this program knows, translated where another driver says the same by other
/// words, and what is among the problems.
[[nodiscard]] DriverParameters take_out_driver_parameters(ConnectionUrl& url);

}  // namespace walstorm::postgres
