#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace walstorm::config {

/// Looks up a variable; nullopt where it is not set, or set to nothing.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The environment of this process.
[[nodiscard]] Environment process_environment();

/// The variables of a .env file's text: `NAME=value` lines, with `export`, quotes, comments and CRLF as
/// dotenv has them. Other lines are ignored.
[[nodiscard]] std::map<std::string, std::string> parse_env_file(const std::string& text);

/// What a run sees, first match wins: `env_file` (named on the command line), `process`, `.env.local` in
/// `working_dir`, `.env.local` beside `config_file`.
/// Throws Error{config} when `env_file` cannot be read.
[[nodiscard]] Environment layered_environment(Environment process,
                                              const std::optional<std::filesystem::path>& env_file,
                                              const std::filesystem::path& working_dir,
                                              const std::optional<std::filesystem::path>& config_file);

/// Replaces each ${NAME} in `text`. `missing` receives the names that are not set; they stay as they are.
[[nodiscard]] std::string expand(const std::string& text, const Environment& environment,
                                 const std::function<void(const std::string& name)>& missing);

}  // namespace walstorm::config
