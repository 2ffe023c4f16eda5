#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace walstorm::profile {

/// What a stack was seen doing: running, or waiting until it ran again. Or what memory it has taken that is
/// in use, by how much that has grown, and all that it took meanwhile.
enum class Kind { on_cpu, off_cpu, in_use, grown, taken };

/// Whether stacks of that kind count blocks of memory, and not time.
[[nodiscard]] constexpr bool is_memory(Kind kind) {
  return kind != Kind::on_cpu && kind != Kind::off_cpu;
}

/// "on-cpu", "off-cpu", "in-use", ...: as every file of a profile has them.
[[nodiscard]] const char* to_string(Kind kind);

/// One function in a stack.
struct Frame {
  std::string function;  ///< kUnknown where there is no symbol
  std::string object;    ///< the program, library or kernel it is of; empty where that is not known
  bool kernel = false;

  friend auto operator<=>(const Frame&, const Frame&) = default;  // NOLINT(modernize-use-nullptr): not ours
};

inline constexpr std::string_view kUnknown = "[unknown]";
/// Stands on top of an off-CPU stack that did not ask to wait: it was ready and no CPU was free.
inline constexpr std::string_view kPreempted = "[ready, no CPU free]";
/// Waits of which none was sampled.
inline constexpr std::string_view kNotSampled = "[waits, not sampled]";

/// Equal stacks, counted.
struct Stack {
  std::string phase, target;
  Kind kind = Kind::on_cpu;
  std::vector<std::uint32_t> frames;  ///< numbers in Profile::frames(), the outermost caller first
  /// Unwinding did not come to where the thread began: callers are missing.
  bool broken = false;
  std::uint64_t samples = 0;  ///< of off-CPU: how often it waited so; of memory: blocks
  std::uint64_t ns = 0;       ///< the time that they stand for; of memory: bytes
};

/// Stacks of any number of phases and targets. A value; nothing of it knows where it came from.
class Profile final {
 public:
  /// Whose a stack is.
  struct Owner {
    std::string phase, target;
    Kind kind = Kind::on_cpu;
  };

  /// The number of that frame, which may be there already.
  [[nodiscard]] std::uint32_t frame(const Frame& frame);
  /// Of a whole stack.
  [[nodiscard]] std::vector<std::uint32_t> numbers_of(const std::vector<Frame>& frames);
  /// Adds to the stack that is there already, or a new one.
  void add(const Owner& owner, std::vector<std::uint32_t> frames, bool broken, std::uint64_t samples,
           std::uint64_t ns);
  /// Everything of another one.
  void add(const Profile& other);

  [[nodiscard]] const std::vector<Frame>& frames() const { return frames_; }
  [[nodiscard]] const std::vector<Stack>& stacks() const { return stacks_; }
  [[nodiscard]] bool empty() const { return stacks_.empty(); }

  /// In the order in which they were first seen.
  [[nodiscard]] std::vector<std::string> phases() const;
  [[nodiscard]] std::vector<std::string> targets() const;
  [[nodiscard]] bool has(Kind kind) const;
  /// The stacks of one phase, or those of every phase as of none, when `phase` is nullopt.
  [[nodiscard]] Profile of_phase(const std::optional<std::string>& phase) const;

 private:
  using Key = std::tuple<std::string, std::string, Kind, bool, std::vector<std::uint32_t>>;

  std::vector<Frame> frames_;
  std::map<Frame, std::uint32_t> numbers_;
  std::vector<Stack> stacks_;
  std::map<Key, std::size_t> places_;
};

}  // namespace walstorm::profile
