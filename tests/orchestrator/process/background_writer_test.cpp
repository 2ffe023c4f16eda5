#include "orchestrator/process/background_writer.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

#include "orchestrator/process/terminal.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::process {
namespace {

using std::chrono::seconds;

/// A pipe that nobody reads until the test does.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_reader();
    ::close(ends_[1]);
  }
  [[nodiscard]] int writer() const { return ends_[1]; }
  std::string read(std::size_t bytes) {
    std::string text(bytes, '\0');
    std::size_t at = 0;
    while (at < bytes) {
      const ssize_t got = ::read(ends_[0], text.data() + at, bytes - at);
      if (got <= 0) break;
      at += static_cast<std::size_t>(got);
    }
    return text.substr(0, at);
  }
  void close_reader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

class BackgroundWriterTest : public testing::Test {
 protected:
  BackgroundWriterTest() { std::signal(SIGPIPE, SIG_IGN); }

  EventLoop loop_;
  tests::TemporaryFolder folder_;
};

constexpr std::size_t kMegabyte = 1'000'000;

TEST_F(BackgroundWriterTest, DoesNotHoldUpWhoeverWritesToAPipeThatNobodyReads) {
  Pipe pipe;
  BackgroundWriter writer(pipe.writer(), {4 * kMegabyte});
  writer.write(std::string(2 * kMegabyte, 'a'));
  writer.write(std::string(kMegabyte, 'b'));
  EXPECT_FALSE(writer.is_idle());
  EXPECT_EQ(pipe.read(3 * kMegabyte), std::string(2 * kMegabyte, 'a') + std::string(kMegabyte, 'b'));
  EXPECT_TRUE(writer.finish(loop_, seconds(60), 0));
  EXPECT_EQ(writer.losses().texts, 0U);
}

TEST_F(BackgroundWriterTest, LosesWhatIsBeyondItsRoomAndCountsIt) {
  Pipe pipe;
  BackgroundWriter writer(pipe.writer(), {2 * kMegabyte});
  writer.write(std::string(2 * kMegabyte, 'a'));
  writer.write("lost");
  writer.write("lost too");
  EXPECT_EQ(writer.losses().texts, 2U);
  EXPECT_EQ(reason_of(writer.losses()), "more was waiting than is kept");
  EXPECT_EQ(pipe.read(2 * kMegabyte), std::string(2 * kMegabyte, 'a'));
}

TEST_F(BackgroundWriterTest, IsNotWaitedForWhenAPersonEndsThat) {
  Pipe pipe;
  BackgroundWriter writer(pipe.writer(), {2 * kMegabyte});
  writer.write(std::string(kMegabyte, 'a'));
  std::raise(SIGINT);
  EXPECT_FALSE(writer.finish(loop_, std::chrono::hours(1), 0));
}

TEST_F(BackgroundWriterTest, SaysThatADiskIsFull) {
  BackgroundWriter writer(::open("/dev/full", O_WRONLY | O_CLOEXEC), {kMegabyte, {}, true});
  writer.write("a line\n");
  writer.write("another\n");
  EXPECT_TRUE(writer.finish(loop_, seconds(60), 0));
  EXPECT_EQ(writer.losses().texts, 2U);
  EXPECT_EQ(writer.losses().error, ENOSPC);
}

TEST_F(BackgroundWriterTest, TakesHalfALineBackSoThatTheNextOneIsWhole) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto path = folder_.path() / "lines";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  BackgroundWriter writer(file, {kMegabyte, BackgroundWriter::Partial::taken_back, true});
  const rlimit small{10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  for (const char* line : {"first\n", "too long\n", "ok\n"}) writer.write(line);
  const bool finished = writer.finish(loop_, seconds(60), 0);
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(finished);
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), "first\nok\n");
  EXPECT_EQ(writer.losses().texts, 1U);
  EXPECT_EQ(writer.losses().error, EFBIG);
}

TEST_F(BackgroundWriterTest, ATerminalIsGivenWhatMayBeShown) {
  Pipe pipe;
  Terminal terminal([](const std::string& text) { return "<" + text + ">"; }, pipe.writer());
  terminal.out() << "one" << 2 << std::flush;
  terminal.finish(loop_);
  EXPECT_EQ(pipe.read(6), "<one2>");
  EXPECT_TRUE(terminal.is_idle());
}

}  // namespace
}  // namespace walstorm::process
