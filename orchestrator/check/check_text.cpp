#include "orchestrator/check/check_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace walstorm::check {
namespace {

const char* word_of(config::Level level) {
  switch (level) {
    case config::Level::ok:
      return "ok";
    case config::Level::note:
      return "note";
    case config::Level::warning:
      return "WARNING";
    case config::Level::problem:
      return "PROBLEM";
    case config::Level::unknown:
      return "unknown";
  }
  return "";
}

std::size_t count(const std::vector<Section>& sections, config::Level level) {
  std::size_t found = 0;
  for (const Section& section : sections) {
    found += static_cast<std::size_t>(
        std::count_if(section.findings.begin(), section.findings.end(),
                      [&](const config::Finding& each) { return each.level == level; }));
  }
  return found;
}

std::string counted(std::size_t number, const char* what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

/// `text` with its further lines put below the first, `indent` columns in.
std::string indented(const std::string& text, std::size_t indent) {
  std::string result;
  for (const char c : text) {
    if (c == '\t') continue;  // libpq's own indentation
    result += c;
    if (c == '\n') result += std::string(indent, ' ');
  }
  return result;
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1'000'000'000) return fmt::format("{} MB", (bytes + 999'999) / 1'000'000);
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

bool is_ready(const std::vector<Section>& sections) {
  return count(sections, config::Level::problem) == 0;
}

std::string check_text(const std::vector<Section>& sections) {
  std::size_t width = 0;
  for (const Section& section : sections) {
    for (const config::Finding& finding : section.findings) width = std::max(width, finding.what.size());
  }
  constexpr std::size_t kLevelWidth = 7;
  const std::size_t indent = 2 + kLevelWidth + 2 + width + 2;
  std::string text;
  for (const Section& section : sections) {
    text += section.title + "\n";
    for (const config::Finding& finding : section.findings) {
      text += fmt::format("  {:<{}}  {:<{}}  {}\n", word_of(finding.level), kLevelWidth, finding.what, width,
                          indented(finding.says, indent));
      if (!finding.todo.empty())
        text += fmt::format("{:{}}-> {}\n", "", indent, indented(finding.todo, indent + 3));
    }
    text += "\n";
  }
  const std::string warnings = counted(count(sections, config::Level::warning), "warning");
  if (is_ready(sections)) return text + fmt::format("ready: a run can start ({})\n", warnings);
  return text + fmt::format("not ready: {}, {}\n",
                            counted(count(sections, config::Level::problem), "problem"), warnings);
}

}  // namespace walstorm::check
