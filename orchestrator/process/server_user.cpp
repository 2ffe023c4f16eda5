#include "orchestrator/process/server_user.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "proto/wire/error.h"

namespace walstorm::process {

std::optional<UserId> server_user(const std::string& preferred, const std::string& what) {
  if (::geteuid() != 0) return std::nullopt;
  for (const std::string& name : {preferred, std::string("nobody")}) {
    if (const passwd* entry = ::getpwnam(name.c_str())) return UserId{entry->pw_uid, entry->pw_gid};
  }
  throw wire::Error(wire::ErrorKind::unavailable,
                    fmt::format("{}: it is not to run as root, and there is neither a user {} nor nobody to "
                                "run it as; run walstorm as an ordinary user",
                                what, preferred));
}

}  // namespace walstorm::process
