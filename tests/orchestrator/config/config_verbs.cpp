#include "config_verbs.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <stdexcept>

#include "orchestrator/measure/figures/figures.h"

namespace walstorm::config {
namespace {

Config load_in(const TemporaryFolder& folder, const Given& given) {
  LoadRequest request;
  if (given.file) request.file = folder.write("config.json", *given.file);
  if (!given.env_local.empty()) folder.write(".env.local", given.env_local);
  request.overrides = given.overrides;
  request.needs_sink = given.needs_sink;
  const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = given.environment.find(name);
    return found == given.environment.end() ? std::nullopt : std::optional(found->second);
  };
  const TemporaryFolder elsewhere;
  return load(request, environment, elsewhere.path(), measure::figure_names());
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "walstorm-config-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::filesystem::remove_all(path_);
}

std::filesystem::path TemporaryFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ / name, std::ios::binary) << text;
  return path_ / name;
}

Override set(const std::string& path, const std::string& value) {
  return {"--set " + path + "=", path, value};
}

Config load_given(const Given& given) {
  const TemporaryFolder folder;
  return load_in(folder, given);
}

std::optional<Refusal> refusal_of(const Given& given) {
  const TemporaryFolder folder;
  try {
    static_cast<void>(load_in(folder, given));
    return std::nullopt;
  } catch (const wire::Error& error) {
    std::string message = error.what();
    const std::string prefix = folder.path().string() + "/";
    for (auto at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) {
      message.erase(at, prefix.size());
    }
    return Refusal{error.kind(), message};
  }
}

std::string with_mock(const std::string& json) {
  nlohmann::json merged = {{"consumer", {{"useMockClickhouse", true}}}};
  merged.update(nlohmann::json::parse(json), true);
  return merged.dump();
}

void gives(const std::string& json, const std::string& pointer, const nlohmann::json& value) {
  SCOPED_TRACE(json);
  try {
    const nlohmann::json resolved = to_json(load_given({.file = with_mock(json)}));
    EXPECT_EQ(resolved.at(nlohmann::json::json_pointer(pointer)), value) << pointer;
  } catch (const wire::Error& error) {
    ADD_FAILURE() << "refused: " << error.what();
  }
}

void rejects(const std::string& json, const std::vector<std::string>& lines) {
  SCOPED_TRACE(json);
  const auto refusal = refusal_of({.file = with_mock(json)});
  ASSERT_TRUE(refusal) << "was taken";
  EXPECT_EQ(refusal->kind, wire::ErrorKind::config);
  EXPECT_THAT(lines_of(refusal->message), testing::UnorderedElementsAreArray(lines));
}

}  // namespace walstorm::config
