#include "proto/postgres/environment.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace walstorm::postgres {
namespace {

constexpr std::array<std::string_view, 3> kWhereFilesAre{"PGSERVICEFILE", "PGSYSCONFDIR", "PGLOCALEDIR"};

Variables take() {
  Variables taken;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const std::string_view name = variable.substr(0, variable.find('='));
    const bool stays = std::find(kWhereFilesAre.begin(), kWhereFilesAre.end(), name) != kWhereFilesAre.end();
    if (!name.starts_with("PG") || stays || name.size() == variable.size()) continue;
    taken.emplace(name, variable.substr(name.size() + 1));
  }
  for (const auto& [name, value] : taken) ::unsetenv(name.c_str());
  return taken;
}

}  // namespace

const Variables& take_postgres_variables() {
  static const Variables taken = take();
  return taken;
}

}  // namespace walstorm::postgres
