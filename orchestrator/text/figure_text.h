#pragma once

#include <optional>
#include <string>

/// Figures by their path in metrics.json, whose last words name the unit, as people read them.
namespace walstorm::text {

/// "12.1 ms" of consumer.lagMs.p50, "5,003/s" of producer.throughput, "99.8 %" of producer.targetRatio.
[[nodiscard]] std::string figure_text(const std::string& path, std::optional<double> value);

/// "lag p50" of consumer.lagMs.p50, "consumer CPU/record" of consumer.cpuMicrosPerRecord: for a table's head.
[[nodiscard]] std::string figure_label(const std::string& path);

}  // namespace walstorm::text
