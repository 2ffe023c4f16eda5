#include "orchestrator/profile/analysis/call_site.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace walstorm::profile {
namespace {

bool is_for_everybody(const Frame& frame) {
  static constexpr std::array<std::string_view, 9> kObjects{"libc.",     "libc-",     "libpthread",
                                                            "libstdc++", "libtcmall", "libprofiler",
                                                            "ld-linux",  "libgcc_s",  "libm."};
  static constexpr std::array<std::string_view, 10> kFunctions{
      "std::",  "__gnu_cxx::", "boost::", "operator new", "operator delete",
      "malloc", "realloc",     "calloc",  "free",         "pthread_"};
  const auto begins = [](std::string_view text, const auto& beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [text](std::string_view beginning) { return text.starts_with(beginning); });
  };
  return frame.kernel || frame.function == kUnknown || begins(frame.object, kObjects) ||
         begins(frame.function, kFunctions);
}

}  // namespace

Frame call_site(const Profile& profile, const Stack& stack) {
  const auto innermost = [&](const auto& fits) {
    const auto found = std::find_if(stack.frames.rbegin(), stack.frames.rend(),
                                    [&](std::uint32_t number) { return fits(profile.frames()[number]); });
    return found == stack.frames.rend() ? nullptr : &profile.frames()[*found];
  };
  const Frame* site = innermost([](const Frame& frame) { return frame.function.starts_with("walstorm::"); });
  if (site == nullptr) site = innermost([](const Frame& frame) { return !is_for_everybody(frame); });
  if (site == nullptr) site = innermost([](const Frame& frame) { return !frame.kernel; });
  return site == nullptr ? Frame{std::string(kUnknown), "", false} : *site;
}

std::string without_template_arguments(std::string_view function) {
  // operator<, operator->: an arrow closes nothing, and such a name is left as it is.
  if (function.find("operator") != std::string_view::npos) return std::string(function);
  std::string name;
  int depth = 0;
  for (const char c : function) {
    if (c == '<') ++depth;
    if (depth == 0) name += c;
    if (c == '>') --depth;
  }
  return depth == 0 ? name : std::string(function);
}

}  // namespace walstorm::profile
