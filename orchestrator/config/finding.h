#pragma once

#include <string>

namespace walstorm::config {

enum class Level {
  ok,
  note,     ///< for information
  warning,  ///< a run starts, and may not go well
  problem,  ///< no run can start
  unknown,  ///< could not be found out
};

/// The answer to one question: is this ready for a run?
struct Finding {
  Level level = Level::ok;
  std::string what;  ///< "wal_level"
  std::string says;  ///< "replica"
  std::string todo;  ///< what to do about it; empty where there is nothing
};

}  // namespace walstorm::config
