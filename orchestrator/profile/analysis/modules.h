#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

enum class Layer { own, library, kernel, wait };

struct Module {
  struct Rule {
    bool of_object = false;  ///< the pattern is for the frame's object, else for its function
    std::string pattern;
  };

  std::string name;
  Layer layer = Layer::library;
  bool is_rest = false;  ///< takes what no other module of its layer fits
  std::string says;      ///< what it does
  std::string advice;    ///< what to do when most time goes there; may be empty
  std::vector<Rule> rules;
  std::vector<std::string> not_of = {};  ///< targets whose stacks it is not for
};

/// modules.txt, embedded at build time.
extern const char* const kModulesText;

/// Whether `text` fits `pattern`, in which * stands for any text.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view text);

/// The table that says what belongs together. See modules.txt, which explains the rules.
class Modules final {
 public:
  /// Throws Error{internal} that names the line for a text that is no such table.
  explicit Modules(std::string_view text = kModulesText);

  /// What a stack is counted for; numbers in all().
  struct Place {
    std::size_t self = 0;              ///< where it is, by its innermost frames
    std::optional<std::size_t> own;    ///< the innermost module with a task in the pipe
    std::optional<std::size_t> waits;  ///< what it waits for, of an off-CPU stack
  };
  [[nodiscard]] Place place(const Profile& profile, const Stack& stack) const;

  [[nodiscard]] const std::vector<Module>& all() const { return modules_; }
  /// nullptr when there is none of that name.
  [[nodiscard]] const Module* named(const std::string& name) const;

 private:
  /// What one frame is of, by layer; found once for each frame of a target.
  struct OfFrame {
    std::optional<std::size_t> self, own, waits;
  };
  [[nodiscard]] const OfFrame& of(const Frame& frame, const std::string& target) const;

  std::vector<Module> modules_;
  mutable std::map<std::string, std::map<Frame, OfFrame>>
      found_;  // by target; a memory of answers; one thread
};

}  // namespace walstorm::profile
