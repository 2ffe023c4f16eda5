#include "consumer/decode/spill_file.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <sys/resource.h>

#include "proto/wire/error.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::consumer {
namespace {

/// TMPDIR is a folder of the test's own.
class SpillFileTest : public testing::Test {
 protected:
  SpillFileTest() {
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    set_folder(folder_.path());
  }
  ~SpillFileTest() override {
    if (before_) {
      set_folder(*before_);
    } else {
      ::unsetenv("TMPDIR");
    }
  }

  static void set_folder(const std::filesystem::path& folder) { ::setenv("TMPDIR", folder.c_str(), 1); }

  static std::string content(const SpillFile& file, std::uint64_t slot, std::size_t size) {
    std::string bytes(size, '\0');
    file.read(slot, bytes);
    return bytes;
  }

  tests::TemporaryFolder folder_;
  std::optional<std::string> before_;
};

TEST_F(SpillFileTest, GivesBackWhatWasWritten) {
  SpillFile file(8);
  const std::uint64_t first = file.write("12345678");
  const std::uint64_t second = file.write("abc");
  EXPECT_EQ(content(file, first, 8), "12345678");
  EXPECT_EQ(content(file, second, 3), "abc");
  EXPECT_EQ(file.slots_in_use(), 2U);
}

TEST_F(SpillFileTest, UsesASlotAgainRatherThanGrow) {
  SpillFile file(8);
  const std::uint64_t first = file.write("first");
  const std::uint64_t second = file.write("second");
  file.release(first);
  EXPECT_EQ(file.write("third"), first);
  EXPECT_EQ(content(file, second, 6), "second");
  EXPECT_EQ(content(file, first, 5), "third");
}

TEST_F(SpillFileTest, BeginsAnewOnceItIsEmpty) {
  SpillFile file(8);
  file.release(file.write("first"));
  EXPECT_EQ(file.slots_in_use(), 0U);
  const std::uint64_t slot = file.write("x");
  EXPECT_EQ(slot, 0U);
  EXPECT_THROW((void)content(file, slot, 5), wire::Error) << "the old bytes are still there";
}

TEST_F(SpillFileTest, HasNoNameThatAKilledProcessCouldLeaveBehind) {
  SpillFile file(8);
  (void)file.write("x");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(SpillFileTest, MakesNoFileBeforeItIsNeeded) {
  set_folder(folder_.path() / "missing");
  const SpillFile file(8);
  EXPECT_EQ(file.slots_in_use(), 0U);
}

TEST_F(SpillFileTest, AFolderThatIsNotThereIsAnErrorThatNamesTmpdir) {
  set_folder(folder_.path() / "missing");
  SpillFile file(8);
  try {
    (void)file.write("x");
    FAIL();
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    EXPECT_NE(std::string(error.what()).find("TMPDIR"), std::string::npos) << error.what();
  }
}

TEST_F(SpillFileTest, NoMoreRoomIsAnErrorThatSaysWhatToDoAndKeepsWhatThereIs) {
  SpillFile file(4096);
  const std::string bytes(4096, 'x');
  const std::uint64_t first = file.write(bytes);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{6000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::optional<wire::Error> failure;
  try {
    (void)file.write(bytes);
  } catch (const wire::Error& error) {
    failure = error;
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_DFL);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->kind(), wire::ErrorKind::unavailable);
  const std::string what = failure->what();
  EXPECT_NE(what.find(folder_.path().string()), std::string::npos) << what;
  EXPECT_NE(what.find("File too large"), std::string::npos) << what;
  EXPECT_NE(what.find("consumer.streaming"), std::string::npos) << what;
  EXPECT_EQ(file.slots_in_use(), 1U);
  EXPECT_EQ(content(file, first, 4096), bytes);
}

}  // namespace
}  // namespace walstorm::consumer
