#include "orchestrator/profile/stacks/folded.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace walstorm::profile {
namespace {

/// What would end a name is replaced: the format knows no escape.
std::string folded_name(const Frame& frame) {
  std::string name = frame.function == kUnknown && !frame.object.empty() ? fmt::format("[{}]", frame.object)
                                                                         : frame.function;
  std::replace(name.begin(), name.end(), ';', ':');
  std::replace(name.begin(), name.end(), '\n', ' ');
  return frame.kernel ? name + "_[k]" : name;
}

Frame named_frame(std::string_view name) {
  Frame frame;
  if (name.ends_with("_[k]")) {
    frame.kernel = true;
    frame.object = "[kernel]";
  }
  if (frame.kernel || name.ends_with("_[i]") || name.ends_with("_[j]")) name.remove_suffix(4);
  frame.function = std::string(name);
  // "[liblz4.so.1]": what folded_name() makes of a function without a name.
  const bool is_object = name.size() > 2 && name.front() == '[' && name.back() == ']' && name != kUnknown &&
                         name.find(' ') == std::string_view::npos && !frame.kernel;
  if (is_object) {
    frame.function = kUnknown;
    frame.object = std::string(name.substr(1, name.size() - 2));
  }
  return frame;
}

std::optional<std::uint64_t> count_in(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

}  // namespace

std::string folded_text(const Profile& profile, Kind kind) {
  std::map<std::string, std::uint64_t> lines;  // phases may share a stack
  for (const Stack& stack : profile.stacks()) {
    if (stack.kind != kind) continue;
    std::string line = stack.target;
    for (const std::uint32_t number : stack.frames) line += ";" + folded_name(profile.frames()[number]);
    lines[line] += kind == Kind::on_cpu ? stack.samples : is_memory(kind) ? stack.ns : stack.ns / 1000;
  }
  std::string text;
  for (const auto& [line, weight] : lines) {
    if (weight > 0) text += fmt::format("{} {}\n", line, weight);
  }
  return text;
}

FoldedRead read_folded(std::istream& in, const std::string& target) {
  FoldedRead read;
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const auto blank = line.rfind(' ');
    const auto count =
        blank == std::string::npos ? std::nullopt : count_in(std::string_view(line).substr(blank + 1));
    if (!count) {
      ++read.lines_unread;
      continue;
    }
    std::vector<std::uint32_t> frames;
    const std::string_view names = std::string_view(line).substr(0, blank);
    for (std::size_t at = 0; at <= names.size();) {
      const std::size_t end = std::min(names.find(';', at), names.size());
      if (end > at) frames.push_back(read.profile.frame(named_frame(names.substr(at, end - at))));
      at = end + 1;
    }
    read.profile.add({"", target, Kind::on_cpu}, std::move(frames), false, *count, 0);
  }
  return read;
}

}  // namespace walstorm::profile
