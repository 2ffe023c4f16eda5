#pragma once

#include <map>
#include <string>
#include <vector>

#include "proto/postgres/environment.h"

namespace walstorm::postgres {

/// What a connection string leaves open and libpq would find elsewhere.
struct AddressDefaults {
  std::map<std::string, std::string> keywords;
  std::vector<std::string> variables;  ///< the environment's that took part, by name
};

/// The defaults for a connection string with `given` as its keywords, in libpq's order: what is given, then
/// the service that is named, then a variable (libpq, "Environment Variables"). A service that is found is
/// spelled out, and the keyword `service` is no longer needed; one that is not stays named, so that
/// connecting says so. Neither the database nor application_name or client_encoding are among them: walstorm
/// sets those itself.
///
/// Call it while no other thread of this process connects: libpq knows services by the environment alone.
[[nodiscard]] AddressDefaults address_defaults(const std::map<std::string, std::string>& given,
                                               const Variables& environment);

}  // namespace walstorm::postgres
