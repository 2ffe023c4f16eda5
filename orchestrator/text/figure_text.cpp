#include "orchestrator/text/figure_text.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <string_view>
#include <utility>

#include "orchestrator/text/format.h"

namespace walstorm::text {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kLabels{
    {{"producer.throughput", "achieved"},
     {"producer.targetRatio", "of target"},
     {"producer.cpuMicrosPerRecord", "producer CPU/rec"},
     {"consumer.throughput", "landed"},
     {"consumer.lagMs.p50", "lag p50"},
     {"consumer.lagMs.p99", "lag p99"},
     {"consumer.flushMs.p50", "flush p50"},
     {"consumer.recordsPerFlush", "records/flush"},
     {"consumer.cpuMicrosPerRecord", "consumer CPU/rec"},
     {"processes.clickhouse.cpuMicrosPerRecord", "ClickHouse CPU/rec"},
     {"processes.consumer-0.rssMaxBytes", "consumer memory"},
     {"drain.durationSec", "drain"}}};

bool has_word(const std::string& path, std::string_view word) {
  return path.find(word) != std::string::npos;
}

}  // namespace

std::string figure_text(const std::string& path, std::optional<double> value) {
  if (!value) return rate_text(std::nullopt);
  if (has_word(path, "hroughput") || has_word(path, "PerSec")) return rate_text(value);
  if (has_word(path, "Micros")) return micros_text(value);
  if (has_word(path, "Ms.") || path.ends_with("Ms")) return ms_text(value);
  if (has_word(path, "Sec.") || path.ends_with("Sec") || has_word(path, ".sec.")) return sec_text(value);
  if (has_word(path, "atio") || has_word(path, "Rate") || has_word(path, "tilization"))
    return percent_text(value);
  if (has_word(path, "ytes") && *value >= 0) return bytes_text(static_cast<std::uint64_t>(*value));
  const bool whole = std::abs(*value) < 1e15 && *value >= 0 && *value == std::floor(*value);
  return whole ? count_text(static_cast<std::uint64_t>(*value)) : fmt::format("{:.4g}", *value);
}

std::string figure_label(const std::string& path) {
  for (const auto& [known, label] : kLabels) {
    if (path == known) return std::string(label);
  }
  return path;
}

}  // namespace walstorm::text
