#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <string_view>

namespace walstorm::bench {

struct Options {
  int rounds = 5;
  std::uint32_t flush_batch_size = 1000;  ///< of the drain
};

/// The whole of a bench's main: reads `--rounds N` and `--flush-batch-size N`, turns exceptions into exit
/// codes.
inline int run_bench(int argc, char** argv, void (*bench)(const Options&)) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const int value = i + 1 < argc ? std::atoi(argv[i + 1]) : 0;
    if (value < 1 || (name != "--rounds" && name != "--flush-batch-size")) {
      fmt::print(stderr, "usage: {} [--rounds N] [--flush-batch-size N]\n", argv[0]);
      return 2;
    }
    if (name == "--rounds") options.rounds = value;
    if (name == "--flush-batch-size") options.flush_batch_size = static_cast<std::uint32_t>(value);
  }
  try {
    bench(options);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace walstorm::bench
