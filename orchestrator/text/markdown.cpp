#include "orchestrator/text/markdown.h"

#include <fmt/format.h>

namespace walstorm::text {
namespace {

std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string line(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& value : cells) text += fmt::format(" {} |", cell(value));
  return text + "\n";
}

}  // namespace

std::string markdown_table(const std::vector<std::string>& header,
                           const std::vector<std::vector<std::string>>& rows) {
  std::string text = line(header) + "|:--|";
  for (std::size_t i = 1; i < header.size(); ++i) text += "--:|";
  text += "\n";
  for (const auto& row : rows) text += line(row);
  return text + "\n";
}

}  // namespace walstorm::text
