#include "orchestrator/process/private_folder.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <sys/file.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "proto/wire/error.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::process {
namespace {

namespace fs = std::filesystem;

TEST(PrivateFolder, IsOursAloneAndGoesWithItsObject) {
  fs::path path;
  {
    const PrivateFolder folder(FolderFor::schema_copy);
    path = folder.path();
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
    std::ofstream(path / "pgpass") << "secret";
    for (const fs::path& stale : stale_folders(path.parent_path())) EXPECT_NE(stale, path);
  }
  EXPECT_FALSE(fs::exists(path));
}

/// TMPDIR is what the test says, and what it was afterwards.
class WithTmpdir : public testing::Test {
 protected:
  WithTmpdir() {
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
  }
  ~WithTmpdir() override {
    if (before_) {
      ::setenv("TMPDIR", before_->c_str(), 1);
    } else {
      ::unsetenv("TMPDIR");
    }
  }
  static void set(const std::string& value) { ::setenv("TMPDIR", value.c_str(), 1); }
  static void expect_refused(const std::string& says) {
    try {
      (void)temporary_folder();
      ADD_FAILURE() << "is taken";
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
      EXPECT_EQ(error.what(), says);
    }
  }

 private:
  std::optional<std::string> before_;
};

TEST_F(WithTmpdir, TheTemporaryFolderIsAbsolute) {
  const tests::TemporaryFolder temp;
  set(fs::relative(temp.path()).string());
  EXPECT_TRUE(temporary_folder().is_absolute());
  EXPECT_TRUE(fs::equivalent(temporary_folder(), temp.path()));
}

TEST_F(WithTmpdir, AFolderThatIsNoneIsRefused) {
  set("/no/such/folder");
  expect_refused("TMPDIR, \"/no/such/folder\", is no folder: set TMPDIR to one that is there");
  set("");
  expect_refused("TMPDIR, \"\", is no folder: set TMPDIR to one that is there");
  set("/proc/self/status");
  expect_refused("TMPDIR, \"/proc/self/status\", is no folder: set TMPDIR to one that is there");
}

TEST_F(WithTmpdir, AFolderThatTakesNoFilesIsRefused) {
  set("/proc");  // root's rights do not help there
  if (::access("/proc", W_OK) == 0) GTEST_SKIP() << "access(2) says that root may write to /proc";
  expect_refused("TMPDIR, \"/proc\", cannot be written to: set TMPDIR to a folder that can");
}

TEST(StaleFolders, OfKilledRunsGoAndThoseInUseStay) {
  const tests::TemporaryFolder temp;
  const fs::path stale = temp.path() / "walstorm-copy-abc";
  const fs::path used = temp.path() / "walstorm-postgres-def";
  const fs::path other = temp.path() / "something-else";
  for (const auto& folder : {stale, used, other}) {
    fs::create_directories(folder / "data");
    std::ofstream(folder / "lock") << "";
  }
  const int lock = ::open((used / "lock").c_str(), O_RDWR);
  ASSERT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(remove_stale_folders(temp.path()), std::vector<fs::path>{stale});
  EXPECT_FALSE(fs::exists(stale));
  EXPECT_TRUE(fs::exists(used));
  EXPECT_TRUE(fs::exists(other));
  ::close(lock);
}

TEST(StaleFolders, TakeAlongAServerThatOutlivedItsRun) {
  const tests::TemporaryFolder temp;
  const fs::path stale = temp.path() / "walstorm-clickhouse-abc";
  const fs::path other = temp.path() / "walstorm-clickhouse-abcd";
  fs::create_directories(stale);
  std::ofstream(stale / "lock") << "";
  EventLoop loop;
  const auto server_of = [&](const fs::path& folder) {
    ChildOptions options;
    options.program = "/bin/sh";
    options.arguments = {"-c", "read line", "--config-file=" + (folder / "config.xml").string()};
    options.with_pipes = true;  // it waits for a line that never comes
    options.log_file = temp.path() / "log";
    return options;
  };
  const ChildProcess orphan(loop, server_of(stale));
  const ChildProcess bystander(loop, server_of(other));
  EXPECT_EQ(remove_stale_folders(temp.path()), std::vector<fs::path>{stale});
  ASSERT_EQ(loop.wait(std::chrono::seconds(10), 0, [&] { return orphan.ended().has_value(); }), Waited::done);
  EXPECT_EQ(orphan.ended()->signal, SIGKILL);
  EXPECT_FALSE(bystander.ended());
}

/// PostgreSQL's immediate shutdown takes a moment, in which it may still write into its folder.
TEST(StaleFolders, AreNotRemovedUnderAServerThatIsOnItsWayOut) {
  const tests::TemporaryFolder temp;
  const fs::path stale = temp.path() / "walstorm-postgres-abc";
  fs::create_directories(stale / "data");
  std::ofstream(stale / "lock") << "";
  EventLoop loop;
  ChildOptions server;
  server.program = "/bin/sh";
  server.arguments = {"-c",
                      "cd \"$1\"; trap 'for i in $(seq 300); do : > $i; done; exit 0' QUIT; : > ready; "
                      "while :; do read line; done",
                      "-D", (stale / "data").string()};
  server.with_pipes = true;  // it waits for lines that never come
  server.log_file = temp.path() / "log";
  const ChildProcess orphan(loop, server);
  boost::asio::steady_timer look(loop.io());
  std::function<void()> look_again = [&] {
    look.expires_after(std::chrono::milliseconds(5));
    look.async_wait([&](const boost::system::error_code& error) {
      if (!error) look_again();
    });
  };
  look_again();
  ASSERT_EQ(loop.wait(std::chrono::seconds(30), 0, [&] { return fs::exists(stale / "data" / "ready"); }),
            Waited::done);
  EXPECT_EQ(remove_stale_folders(temp.path()), std::vector<fs::path>{stale});
  EXPECT_FALSE(fs::exists(stale));
  ASSERT_EQ(loop.wait(std::chrono::seconds(30), 0, [&] { return orphan.ended().has_value(); }), Waited::done);
  EXPECT_TRUE(orphan.ended()->ok()) << to_string(*orphan.ended());
}

/// The lock is the first that comes into a folder and the last that goes.
TEST(StaleFolders, WithoutALockAreThoseThatHoldSomethingOrAreOld) {
  const tests::TemporaryFolder temp;
  const fs::path in_the_making = temp.path() / "walstorm-clickhouse-new";
  const fs::path half_removed = temp.path() / "walstorm-clickhouse-half";
  const fs::path old = temp.path() / "walstorm-postgres-old";
  fs::create_directories(half_removed / "data");
  fs::create_directories(in_the_making);
  fs::create_directories(old);
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_THAT(remove_stale_folders(temp.path()), testing::UnorderedElementsAre(half_removed, old));
  EXPECT_TRUE(fs::exists(in_the_making));
}

/// In a temporary folder anybody may make one of our name, with links in it.
TEST(StaleFolders, AreNotOpenedThroughLinks) {
  const tests::TemporaryFolder temp;
  const fs::path elsewhere = temp.path() / "elsewhere";
  fs::create_directories(elsewhere);
  std::ofstream(elsewhere / "lock") << "";
  const fs::path folder = temp.path() / "walstorm-copy-link";
  fs::create_directories(folder);
  fs::create_symlink(elsewhere / "lock", folder / "lock");
  fs::create_directory_symlink(elsewhere, temp.path() / "walstorm-copy-all");
  EXPECT_TRUE(remove_stale_folders(temp.path()).empty());
  EXPECT_TRUE(fs::exists(elsewhere / "lock"));
}

}  // namespace
}  // namespace walstorm::process
