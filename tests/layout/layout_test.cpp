// The house's rules that a reader of the include lines can check: who may include whom, which file knows
// which library, how long a file may be, and the constructs that g++ 12.2 miscompiles.

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace walstorm {
namespace {

namespace fs = std::filesystem;

struct SourceFile {
  std::string path;  ///< from the root
  std::vector<std::string> lines;

  [[nodiscard]] std::string folder() const { return path.substr(0, path.find('/')); }
};

const std::vector<SourceFile>& sources() {
  static const std::vector<SourceFile> all = [] {
    std::vector<SourceFile> files;
    for (const char* folder : {"proto", "orchestrator", "producer", "consumer", "tests"}) {
      for (const auto& entry : fs::recursive_directory_iterator(fs::path(SOURCE_DIR) / folder)) {
        const auto extension = entry.path().extension();
        if (extension != ".cpp" && extension != ".h") continue;
        SourceFile file{fs::relative(entry.path(), SOURCE_DIR).string(), {}};
        std::ifstream in(entry.path());
        for (std::string line; std::getline(in, line);) file.lines.push_back(line);
        files.push_back(std::move(file));
      }
    }
    return files;
  }();
  return all;
}

std::vector<std::string> includes_of(const SourceFile& file) {
  static const std::regex include(R"(^#include [<"]([^>"]+)[>"])");
  std::vector<std::string> found;
  for (const auto& line : file.lines) {
    if (std::smatch match; std::regex_search(line, match, include)) found.push_back(match[1]);
  }
  return found;
}

TEST(Layout, ThereIsSomethingToCheck) {
  EXPECT_GT(sources().size(), 50U);
}

TEST(Layout, DependenciesPointOneWay) {
  const std::map<std::string, std::set<std::string>> allowed = {{"proto", {"proto"}},
                                                                {"orchestrator", {"orchestrator", "proto"}},
                                                                {"producer", {"producer", "proto"}},
                                                                {"consumer", {"consumer", "proto"}}};
  for (const auto& file : sources()) {
    if (file.folder() == "tests") continue;
    for (const auto& include : includes_of(file)) {
      const std::string folder = include.substr(0, include.find('/'));
      if (!allowed.contains(folder) && folder != "tests") continue;
      EXPECT_TRUE(allowed.at(file.folder()).contains(folder)) << file.path << " includes " << include;
    }
  }
}

/// Each folder, and those that its files include something of. A file at a folder's top counts as that
/// folder.
std::map<std::string, std::set<std::string>> folder_graph() {
  const auto folder_of = [](const std::string& path) { return path.substr(0, path.rfind('/')); };
  std::map<std::string, std::set<std::string>> graph;
  for (const auto& file : sources()) {
    if (file.folder() == "tests") continue;
    std::set<std::string>& included = graph[folder_of(file.path)];
    for (const auto& include : includes_of(file)) {
      if (include.find('/') == std::string::npos || !fs::exists(fs::path(SOURCE_DIR) / folder_of(include))) {
        continue;
      }
      if (folder_of(include) != folder_of(file.path)) included.insert(folder_of(include));
    }
  }
  return graph;
}

/// A way from `at` back to the first folder of `way`; empty when there is none. Folders in `seen` lead
/// nowhere.
std::vector<std::string> circle_from(const std::map<std::string, std::set<std::string>>& graph,
                                     std::vector<std::string> way, std::set<std::string>& seen) {
  const auto found = graph.find(way.back());
  if (found == graph.end()) return {};
  for (const auto& next : found->second) {
    if (next == way.front()) return way;
    if (!seen.insert(next).second) continue;
    std::vector<std::string> longer = way;
    longer.push_back(next);
    if (auto circle = circle_from(graph, std::move(longer), seen); !circle.empty()) return circle;
  }
  return {};
}

TEST(Layout, FoldersFormNoCircle) {
  const auto graph = folder_graph();
  ASSERT_GT(graph.size(), 20U);
  for (const auto& [folder, unused] : graph) {
    std::set<std::string> seen;
    std::string text;
    for (const auto& each : circle_from(graph, {folder}, seen)) text += each + " -> ";
    EXPECT_TRUE(text.empty()) << text << folder;
  }
}

/// Each below those that it may include nothing of. What shares a line knows nothing of the others in it.
TEST(Layout, TheOrchestratorsFoldersHaveOneWayDown) {
  const std::vector<std::vector<std::string>> levels = {{"cli"},
                                                        {"search", "sweep", "compare", "check"},
                                                        {"trial"},
                                                        {"run"},
                                                        {"live", "profile"},
                                                        {"report"},
                                                        {"postgres", "clickhouse", "fleet"},
                                                        {"target"},
                                                        {"measure"},
                                                        {"config"},
                                                        {"process", "text"}};
  std::map<std::string, std::size_t> level_of;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    for (const auto& folder : levels[i]) level_of[folder] = i;
  }
  const std::string top = "orchestrator/";
  const auto room_of = [&top](const std::string& folder) {
    const std::string below = folder.substr(top.size());
    return below.substr(0, below.find('/'));
  };
  for (const auto& [folder, included] : folder_graph()) {
    if (!folder.starts_with(top)) continue;
    ASSERT_TRUE(level_of.contains(room_of(folder))) << folder << " has no place yet";
    for (const auto& other : included) {
      if (!other.starts_with(top) || room_of(other) == room_of(folder)) continue;
      EXPECT_GT(level_of.at(room_of(other)), level_of.at(room_of(folder))) << folder << " includes " << other;
    }
  }
}

/// A header and its source are one.
TEST(Layout, AFolderIsOneRoom) {
  constexpr std::size_t kFilesMax = 19;
  std::map<std::string, std::set<std::string>> rooms;
  for (const auto& file : sources()) {
    if (file.folder() == "tests") continue;
    const std::size_t name = file.path.rfind('/');
    rooms[file.path.substr(0, name)].insert(file.path.substr(0, file.path.rfind('.')));
  }
  for (const auto& [room, files] : rooms) EXPECT_LE(files.size(), kFilesMax) << room;
}

TEST(Layout, EachLibraryStaysBehindItsWall) {
  // Which files may include what begins so.
  const std::vector<std::pair<std::string, std::vector<std::string>>> walls = {
      {"boost/process", {"orchestrator/process/child_process.cpp"}},
      {"libpq-fe.h",
       {"consumer/stream/replication_connection.cpp", "producer/postgres/pg_connection.cpp",
        "producer/postgres/pg_opener.cpp", "orchestrator/postgres/address/address.cpp",
        "orchestrator/postgres/address/address_defaults.cpp",
        "orchestrator/postgres/address/driver_parameters.cpp", "proto/postgres/host_lookup.cpp",
        "proto/postgres/connection.cpp", "tests/orchestrator/postgres/address_test.cpp"}},
      {"pqxx/", {"orchestrator/postgres/", "orchestrator/cli/clean.cpp", "tests/"}},
      {"nlohmann/",
       {"orchestrator/config/", "orchestrator/text/", "orchestrator/report/", "orchestrator/profile/",
        "orchestrator/trial/trial_json.h", "tests/"}},
      {"valijson/", {"orchestrator/config/"}},
      {"CLI/", {"orchestrator/cli/"}},
      {"boost/beast",
       {"proto/clickhouse/http_connection.cpp", "orchestrator/profile/push/http_exchange.cpp", "tests/"}},
      {"boost/asio/ssl",
       {"proto/clickhouse/http_connection.cpp", "proto/clickhouse/tls_trust.h",
        "orchestrator/profile/push/http_exchange.cpp", "tests/"}},
      {"openssl/", {"proto/clickhouse/http_connection.cpp", "proto/clickhouse/tls_trust."}},
  };
  for (const auto& file : sources()) {
    for (const auto& include : includes_of(file)) {
      for (const auto& [library, files] : walls) {
        if (!include.starts_with(library)) continue;
        bool may = false;
        for (const auto& allowed : files) may = may || file.path.starts_with(allowed);
        EXPECT_TRUE(may) << file.path << " includes " << include;
      }
    }
  }
}

TEST(Layout, FilesStayWithinTheirBudget) {
  for (const auto& file : sources()) {
    const std::size_t budget = file.path == "orchestrator/run/run.cpp" ? 300 : 400;
    EXPECT_LE(file.lines.size(), budget) << file.path;
  }
}

TEST(Layout, NothingThatTheCompilerOrAsioGetsWrong) {
  const std::vector<std::pair<std::regex, std::string>> traps = {
      {std::regex(R"(\b(if|while|switch)\s*\(.*co_await)"), "g++ 12.2 miscompiles a co_await in a head"},
      {std::regex(R"(asio::detached)"), "detached swallows exceptions"},
      {std::regex(R"(#include <boost/(asio|beast|process|url)\.hpp>)"), "umbrella header"},
  };
  for (const auto& file : sources()) {
    if (file.path.starts_with("tests/layout/")) continue;
    for (const auto& line : file.lines) {
      for (const auto& [trap, why] : traps)
        EXPECT_FALSE(std::regex_search(line, trap)) << file.path << ": " << why;
    }
  }
}

TEST(Layout, NoTestSleeps) {
  const std::regex sleeps(R"(sleep_for|usleep\(|[^_]sleep\()");
  for (const auto& file : sources()) {
    if (file.folder() != "tests" || file.path.starts_with("tests/layout/")) continue;
    for (const auto& line : file.lines)
      EXPECT_FALSE(std::regex_search(line, sleeps)) << file.path << ": " << line;
  }
}

}  // namespace
}  // namespace walstorm
