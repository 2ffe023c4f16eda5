#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The environment of a child. DATABASE_URL, CLICKHOUSE_URL, PGPASSWORD and whatever else a shell or a build
/// server keeps there is no child's affair: the private servers run as another user, who can read it in
/// /proc.
namespace walstorm::process {

enum class Variables {
  needed,  ///< where programs, homes, certificates and time zones are: nothing secret
  libpq,   ///< and libpq's (PGSSLROOTCERT, PGSERVICEFILE, ...) but for passwords: those are in the conninfo
  no_secrets,  ///< as they are but for secrets: of a command that passes them on, to who knows where
  all          ///< as they are: of a program that is the user's own
};

/// Of this process's variables those that `which` names, each as "NAME=value", and `more` in place of those
/// of the same name.
[[nodiscard]] std::vector<std::string> child_environment(Variables which,
                                                         const std::vector<std::string>& more = {});

/// Whether a child with `which` is given the variable of that name.
[[nodiscard]] bool is_given(std::string_view name, Variables which);

}  // namespace walstorm::process
