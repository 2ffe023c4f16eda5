#include "orchestrator/config/process_roles.h"

#include <fmt/format.h>

namespace walstorm::config {

std::string producer_name(unsigned index) {
  return fmt::format("producer-{}", index);
}

std::string consumer_name(unsigned index) {
  return fmt::format("consumer-{}", index);
}

std::vector<std::string> process_roles(unsigned producers, bool has_clickhouse) {
  std::vector<std::string> roles{"orchestrator"};
  for (unsigned i = 0; i < producers; ++i) roles.push_back(producer_name(i));
  roles.push_back(consumer_name(0));
  roles.insert(roles.end(), {"postgres-walsender", "postgres-backends", "postgres-sampler"});
  if (has_clickhouse) roles.emplace_back("clickhouse");
  return roles;
}

}  // namespace walstorm::config
