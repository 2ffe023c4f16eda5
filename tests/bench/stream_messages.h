#pragma once

#include <cstdint>
#include <string>

#include "producer/rows/row_source.h"

namespace walstorm::bench {

enum class Form { binary, text };

/// pgoutput's messages about "TaskRun", as a server would send them for the producer's rows.
[[nodiscard]] std::string relation_message();
[[nodiscard]] std::string begin_message();
[[nodiscard]] std::string commit_message();
[[nodiscard]] std::string insert_message(const producer::RowSource& source, std::uint64_t number, Form form);
/// With the full old row, as REPLICA IDENTITY FULL sends it.
[[nodiscard]] std::string update_message(const producer::RowSource& source, std::uint64_t number, Form form);

}  // namespace walstorm::bench
