#include "orchestrator/postgres/address/address_defaults.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <libpq-fe.h>

namespace walstorm::postgres {
namespace {

using Keywords = std::map<std::string, std::string>;
using Options = std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)>;

constexpr const char* kServiceVariable = "PGSERVICE";

bool is_set_by_walstorm(std::string_view keyword) {
  constexpr std::array<std::string_view, 5> kOurs{"dbname", "application_name", "client_encoding",
                                                  "replication", "service"};
  for (const std::string_view ours : kOurs) {
    if (keyword == ours) return true;
  }
  return false;
}

Keywords defaults() {
  const Options options(PQconndefaults(), PQconninfoFree);
  Keywords values;
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val != nullptr && !is_set_by_walstorm(option->keyword)) values[option->keyword] = option->val;
  }
  return values;
}

/// What the service's definition says; empty when there is none of that name.
Keywords keywords_of_service(const std::string& service) {
  const Keywords without = defaults();
  ::setenv(kServiceVariable, service.c_str(), 1);
  Keywords with = defaults();
  ::unsetenv(kServiceVariable);
  std::erase_if(with, [&without](const auto& keyword) {
    const auto same = without.find(keyword.first);
    return same != without.end() && same->second == keyword.second;
  });
  return with;
}

}  // namespace

AddressDefaults address_defaults(const Keywords& given, const Variables& environment) {
  AddressDefaults found;
  const auto named = given.find("service");
  const auto by_variable = environment.find(kServiceVariable);
  std::string service;
  if (named != given.end()) {
    service = named->second;
  } else if (by_variable != environment.end() && !by_variable->second.empty()) {
    service = by_variable->second;
    found.variables.emplace_back(kServiceVariable);
  }
  if (!service.empty()) {
    found.keywords = keywords_of_service(service);
    if (found.keywords.empty()) found.keywords["service"] = service;
  }
  const Options options(PQconndefaults(), PQconninfoFree);
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    const std::string keyword = option->keyword;
    if (option->envvar == nullptr || is_set_by_walstorm(keyword) || given.contains(keyword)) continue;
    const auto variable = environment.find(option->envvar);
    if (variable == environment.end() || variable->second.empty()) continue;
    if (found.keywords.emplace(keyword, variable->second).second) found.variables.push_back(variable->first);
  }
  return found;
}

}  // namespace walstorm::postgres
