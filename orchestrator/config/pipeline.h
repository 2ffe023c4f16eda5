#pragma once

#include <string>

#include "orchestrator/config/config.h"

/// What a command of many runs is resumed with has to be what it was begun with, or its runs tell nothing
/// beside each other.
namespace walstorm::config {

/// The resolved config without what no run's figures depend on: names, where results go, what a sweep
/// varies; as JSON. Secrets are masked, as in config.json.
[[nodiscard]] std::string pipeline_of(const Config& config);

/// The keys in which two of them differ, each with both values: "producer.batchSize (was 50, is 200)"; empty
/// when they are the same.
[[nodiscard]] std::string difference_text(const std::string& earlier, const std::string& now);

/// Throws Error{config} with that text when it is not empty. `what`: "out/stress-search-...: the search".
void require_same_pipeline(const std::string& what, const std::string& earlier, const std::string& now);

}  // namespace walstorm::config
