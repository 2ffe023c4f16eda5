#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// Names for a process's addresses, from the symbols of the programs and libraries that were mapped there, or
/// of their detached debug files. elfutils' libdw reads them.
class Symbols final {
 public:
  /// `maps`: as /proc/PID/maps has it. What is mapped from files that are gone has no names.
  explicit Symbols(const std::string& maps);
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;
  ~Symbols();

  /// The function there, as PerfScript's frames have it. Of a return address pass the byte before: what is
  /// behind the call may be another function.
  [[nodiscard]] const Frame& at(std::uint64_t address);

 private:
  struct Modules;
  [[nodiscard]] Frame look_up(std::uint64_t address) const;

  std::unique_ptr<Modules> modules_;
  std::map<std::uint64_t, Frame> found_;
};

}  // namespace walstorm::profile
