#include "orchestrator/process/program_path.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include "orchestrator/process/server_user.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::process {
namespace {

namespace fs = std::filesystem;

/// With two folders of this test's own in PATH, and an empty entry between them.
class InPath : public testing::Test {
 protected:
  InPath() {
    for (const fs::path& folder : {first_, second_, beyond_}) fs::create_directory(folder);
    ::setenv("PATH", (first_.string() + "::" + second_.string()).c_str(), 1);
  }
  ~InPath() override { ::setenv("PATH", path_.c_str(), 1); }

  static fs::path make(const fs::path& file, fs::perms mode) {
    std::ofstream(file) << "#!/bin/sh\n";
    fs::permissions(file, mode);
    return file;
  }

  const std::string path_ = std::getenv("PATH");
  const tests::TemporaryFolder folder_;
  const fs::path first_ = folder_.path() / "first", second_ = folder_.path() / "second",
                 beyond_ = folder_.path() / "beyond";
};

TEST_F(InPath, TheFirstThatMayBeRunIsTaken) {
  EXPECT_EQ(in_path("it"), fs::path());
  make(first_ / "it", fs::perms::owner_read);
  EXPECT_EQ(in_path("it"), fs::path());
  const fs::path runs = make(second_ / "it", fs::perms::owner_all);
  EXPECT_EQ(in_path("it"), runs);
}

TEST_F(InPath, OtherFoldersAreLookedInLast) {
  const fs::path other = make(beyond_ / "it", fs::perms::owner_all);
  EXPECT_EQ(in_path("it", {beyond_}), other);
  const fs::path own = make(second_ / "it", fs::perms::owner_all);
  EXPECT_EQ(in_path("it", {beyond_}), own);
}

TEST_F(InPath, EmptyEntriesAreNoFolder) {
  EXPECT_EQ(path_folders(), (std::vector<fs::path>{first_, second_}));
}

TEST(ServerUser, IsSomebodyElseForRootAlone) {
  const auto user = server_user("no-such-user", "start a private Something");
  EXPECT_EQ(user.has_value(), ::geteuid() == 0);
  if (!user) return;
  EXPECT_EQ(user->uid, ::getpwnam("nobody")->pw_uid);
  EXPECT_EQ(server_user("daemon", "start it")->uid, ::getpwnam("daemon")->pw_uid);
}

}  // namespace
}  // namespace walstorm::process
