#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace walstorm::compare {

/// What a benchmark measured: the time of one item, or of one iteration where no items are counted.
struct Bench {
  std::string name;
  std::vector<double> cpu_ns;  ///< of each repetition
};

/// A benchmark's name without what only says how long it ran: of "decode/min_time:0.100/repeats:5" "decode".
[[nodiscard]] std::string bench_name(const std::string& full);

/// Whether it is the JSON of Google Benchmark (--benchmark_out_format=json), by its "benchmarks".
[[nodiscard]] bool is_bench_file(std::string_view text);

/// Its benchmarks in the file's order; where a file has aggregates alone, their median is one repetition.
/// Those that failed are left out. `source` names it in errors; throws Error{config} for what is no such
/// file.
[[nodiscard]] std::vector<Bench> parse_benches(std::string_view text, const std::string& source);

/// The same form again, by which others can read it too: cpu_time is of one item. `context` stands in its
/// "context" as keys and values.
[[nodiscard]] std::string bench_file_text(const std::vector<Bench>& benches,
                                          const std::vector<std::pair<std::string, std::string>>& context);

}  // namespace walstorm::compare
