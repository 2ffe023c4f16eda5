#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "orchestrator/config/load.h"
#include "proto/wire/error.h"

namespace walstorm::config {

/// A folder that is gone at the end of the test.
class TemporaryFolder final {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file and returns its path.
  std::filesystem::path write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

/// What a load depends on, in one place. `file` is the text of config.json.
struct Given {
  std::optional<std::string> file = std::nullopt;
  std::vector<Override> overrides = {};
  std::map<std::string, std::string> environment = {};
  std::string env_local = {};  ///< beside config.json
  bool needs_sink = true;
};

struct Refusal {
  wire::ErrorKind kind;
  std::string message;  ///< with config.json named just so, without its folder
};

/// Overrides as the command line makes them of --set.
[[nodiscard]] Override set(const std::string& path, const std::string& value);

/// Loads, or fails the test.
[[nodiscard]] Config load_given(const Given& given);
/// Loads what must be refused; nullopt when it was taken.
[[nodiscard]] std::optional<Refusal> refusal_of(const Given& given);

/// A config with a mock sink, merged with `json`: for tests about something else than the sink.
[[nodiscard]] std::string with_mock(const std::string& json);

/// The config.json `json` gives `value` at `pointer` of the resolved configuration.
void gives(const std::string& json, const std::string& pointer, const nlohmann::json& value);
/// The config.json `json` is refused, as bad configuration, with exactly these lines.
void rejects(const std::string& json, const std::vector<std::string>& lines);

}  // namespace walstorm::config
