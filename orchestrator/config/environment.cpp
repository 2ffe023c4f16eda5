#include "orchestrator/config/environment.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "proto/wire/error.h"

namespace walstorm::config {
namespace {

using Variables = std::map<std::string, std::string>;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// `value` without its quotes, or without the comment behind it.
std::string unquoted(const std::string& value) {
  if (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
    const auto end = value.find(value.front(), 1);
    if (end != std::string::npos) return value.substr(1, end - 1);
  }
  return trimmed(value.substr(0, value.find(" #")));
}

std::optional<Variables> read_env_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) return std::nullopt;
  return parse_env_file(text.str());
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
  };
}

std::map<std::string, std::string> parse_env_file(const std::string& text) {
  Variables variables;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = trimmed(line);
    if (line.starts_with("export ")) line = trimmed(line.substr(7));
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string::npos) continue;
    variables[trimmed(line.substr(0, equals))] = unquoted(trimmed(line.substr(equals + 1)));
  }
  return variables;
}

Environment layered_environment(Environment process, const std::optional<std::filesystem::path>& env_file,
                                const std::filesystem::path& working_dir,
                                const std::optional<std::filesystem::path>& config_file) {
  Variables named;
  if (env_file) {
    auto variables = read_env_file(*env_file);
    if (!variables) {
      throw wire::Error(
          wire::ErrorKind::config,
          fmt::format("--env-file {}: there is no such file, or it cannot be read", env_file->string()));
    }
    named = std::move(*variables);
  }
  Variables local = read_env_file(working_dir / ".env.local").value_or(Variables{});
  if (config_file)
    local.merge(read_env_file(config_file->parent_path() / ".env.local").value_or(Variables{}));

  return [process = std::move(process), named = std::move(named),
          local = std::move(local)](const std::string& name) -> std::optional<std::string> {
    const auto in = [&](const Variables& variables) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() || found->second.empty() ? std::nullopt : std::optional(found->second);
    };
    if (auto value = in(named)) return value;
    if (auto value = process(name)) return value;
    return in(local);
  };
}

std::string expand(const std::string& text, const Environment& environment,
                   const std::function<void(const std::string& name)>& missing) {
  std::string expanded;
  std::size_t from = 0;
  for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", from)) {
    const auto end = text.find('}', at);
    if (end == std::string::npos) break;
    const std::string name = text.substr(at + 2, end - at - 2);
    expanded += text.substr(from, at - from);
    const auto value = environment(name);
    if (!value) missing(name);
    expanded += value.value_or(text.substr(at, end + 1 - at));
    from = end + 1;
  }
  return expanded + text.substr(from);
}

}  // namespace walstorm::config
