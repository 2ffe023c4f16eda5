#pragma once

#include <cstdlib>
#include <string>

namespace walstorm::tests {

/// PATH as given, for as long as this lives.
class Path final {
 public:
  explicit Path(const char* value) : before_(std::getenv("PATH")) { ::setenv("PATH", value, 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;
  ~Path() { ::setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

}  // namespace walstorm::tests
