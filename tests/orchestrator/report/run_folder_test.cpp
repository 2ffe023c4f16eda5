#include "orchestrator/report/run_folder.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "proto/wire/error.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::report {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kStartedUnixUs = 1'769'860'800'123'000;

class RunFolderTest : public ::testing::Test {
 protected:
  static std::string read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  const tests::TemporaryFolder folder_;
  const fs::path& root_ = folder_.path();
};

TEST_F(RunFolderTest, IsNamedAfterTheRunAndItsStartWithAFolderForLogs) {
  const RunFolder folder(root_ / "results", "quickstart", kStartedUnixUs);
  EXPECT_EQ(folder.path(), root_ / "results" / "quickstart-2026-01-31T12-00-00Z");
  EXPECT_TRUE(fs::is_directory(folder.logs()));
}

TEST_F(RunFolderTest, NeverTakesTheFolderOfAnotherRun) {
  const RunFolder first(root_, "q", kStartedUnixUs);
  const RunFolder second(root_, "q", kStartedUnixUs);
  const RunFolder third(root_, "q", kStartedUnixUs);
  EXPECT_EQ(second.path().filename(), "q-2026-01-31T12-00-00Z-2");
  EXPECT_EQ(third.path().filename(), "q-2026-01-31T12-00-00Z-3");
}

TEST_F(RunFolderTest, LeavesTheOutputFolderAtNoName) {
  for (const char* name : {"../../etc", "a/b", "", ".", "ü b"}) {
    const RunFolder folder(root_, name, kStartedUnixUs);
    EXPECT_EQ(folder.path().parent_path(), root_) << name;
    EXPECT_TRUE(fs::is_directory(folder.path())) << name;
  }
}

TEST_F(RunFolderTest, ReplacesAFileAtOnceAndLeavesNoTemporary) {
  const RunFolder folder(root_, "q", kStartedUnixUs);
  folder.write("metrics.json", "{\"old\": true}");
  folder.write("metrics.json", "{}");
  EXPECT_EQ(read(folder.path() / "metrics.json"), "{}");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path())) names.push_back(entry.path().filename());
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("logs", "metrics.json"));
}

TEST_F(RunFolderTest, SaysWhatToDoWhenItCannotBeCreated) {
  std::ofstream(root_ / "file") << "x";
  try {
    const RunFolder folder(root_ / "file", "q", kStartedUnixUs);
    FAIL() << "a file served as the output folder";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--output"));
  }
}

TEST_F(RunFolderTest, FailsWhenAFileCannotBeWritten) {
  const RunFolder folder(root_, "q", kStartedUnixUs);
  EXPECT_THROW(folder.write("no-such-folder/metrics.json", "{}"), wire::Error);
  EXPECT_THROW(folder.write("logs", "a folder has that name"), wire::Error);
}

}  // namespace
}  // namespace walstorm::report
