#pragma once

#include <string>
#include <vector>

namespace walstorm::config {

/// "producer-0", "consumer-0": the names of workers in logs, reports and frames.
[[nodiscard]] std::string producer_name(unsigned index);
[[nodiscard]] std::string consumer_name(unsigned index);

/// The roles of the report's processes[], in its order; "clickhouse" is the sink's server where a run may
/// know it.
[[nodiscard]] std::vector<std::string> process_roles(unsigned producers, bool has_clickhouse);

}  // namespace walstorm::config
