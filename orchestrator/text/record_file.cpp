#include "orchestrator/text/record_file.h"

#include <fstream>
#include <sstream>

#include "orchestrator/text/format.h"
#include "proto/wire/version.h"

namespace walstorm::text {
namespace {

using Json = nlohmann::ordered_json;
using wire::Error;
using wire::ErrorKind;

constexpr int kSchemaVersion = 1;

}  // namespace

Json record_head(const std::string& name, std::int64_t started_at_unix_us, std::int64_t ended_at_unix_us) {
  return {
      {"schemaVersion", kSchemaVersion},
      {"tool", {{"name", "walstorm"}, {"version", wire::kToolVersion}, {"gitRevision", wire::kGitRevision}}},
      {"name", name},
      {"startedAt", iso_time(started_at_unix_us)},
      {"startedAtUnixUs", started_at_unix_us},
      {"endedAt", iso_time(ended_at_unix_us)}};
}

Json read_record_json(const std::filesystem::path& file, const std::string& of) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    throw Error(ErrorKind::config,
                fmt::format("{}: there is no such file; --resume takes the folder of {}", file.string(), of));
  }
  std::stringstream text;
  text << in.rdbuf();
  Json json = Json::parse(text.str(), nullptr, false);
  if (!json.is_object() || json.value("schemaVersion", 0) != kSchemaVersion) {
    throw Error(ErrorKind::config,
                fmt::format("{}: is not the record of {} that this version knows", file.string(), of));
  }
  return json;
}

}  // namespace walstorm::text
