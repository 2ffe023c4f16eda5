#pragma once

#include <ostream>
#include <string>

#include "orchestrator/run/run.h"

namespace walstorm::trial {

/// How far a command of many runs is. On a terminal one line, redrawn in place; elsewhere every line stays.
class ProgressLine final {
 public:
  /// `out` outlives this.
  ProgressLine(std::ostream& out, const run::Display& display) : out_(out), display_(display) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { end(); }

  /// What is going on; on a terminal only, since it changes every second. Nothing when quiet.
  void show(const std::string& line);
  /// What has come of it: stays. Nothing when quiet.
  void print(const std::string& line);
  /// Takes its line off the terminal.
  void end() { clear(); }

 private:
  void clear();

  std::ostream& out_;
  const run::Display display_;
  bool shown_ = false;
};

}  // namespace walstorm::trial
