// The comparison of clocks that producers and consumers make.

#include "proto/postgres/server_clock.h"

#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "orchestrator/postgres/private_server.h"
#include "tests/support/servers.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

/// The machine's clock, moved.
class MovedClock final : public wire::Clock {
 public:
  explicit MovedClock(std::int64_t ahead_us) : ahead_us_(ahead_us) {}

  [[nodiscard]] std::int64_t steady_us() const override { return machine_.steady_us(); }
  [[nodiscard]] std::int64_t unix_us() const override { return machine_.unix_us() + ahead_us_; }

 private:
  wire::SystemClock machine_;
  std::int64_t ahead_us_;
};

/// Takes connections, as the kernel does, and never says a word.
class SilentServer final {
 public:
  SilentServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_, 4), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { ::close(fd_); }

  [[nodiscard]] unsigned port() const { return port_; }

 private:
  int fd_;
  unsigned port_ = 0;
};

TEST(ServerClock, IsComparedWithinTheErrorThatIsTold) {
  process::EventLoop loop;
  TemporaryFolder logs;
  const postgres::PrivateServer server(loop, {}, logs.path() / "postgres.log");
  for (const std::int64_t ahead_us : {std::int64_t{0}, std::int64_t{90'000'000}, std::int64_t{-90'000'000}}) {
    const auto offset = postgres::compare_clocks(server.address().conninfo("postgres", "walstorm-producer-0"),
                                                 MovedClock(ahead_us), milliseconds(20'000));
    ASSERT_TRUE(offset);
    EXPECT_LE(std::abs(offset->ahead_us - ahead_us), offset->error_us);
    EXPECT_GT(offset->error_us, 0);
    EXPECT_LT(offset->error_us, 100'000);
  }
}

TEST(ServerClock, OfAServerThatIsNotThereIsNotKnown) {
  const auto conninfo = fmt::format("host=127.0.0.1 port={} user=x dbname=x", free_port());
  EXPECT_EQ(postgres::compare_clocks(conninfo, wire::SystemClock(), milliseconds(20'000)), std::nullopt);
  EXPECT_EQ(postgres::compare_clocks("no connection string", wire::SystemClock(), milliseconds(20'000)),
            std::nullopt);
}

TEST(ServerClock, OfAServerThatNeverAnswersIsNotWaitedForBeyondTheTimeout) {
  const SilentServer silent;
  const auto conninfo = fmt::format("host=127.0.0.1 port={} user=x dbname=x", silent.port());
  const auto began = Steady::now();
  EXPECT_EQ(postgres::compare_clocks(conninfo, wire::SystemClock(), milliseconds(200)), std::nullopt);
  EXPECT_GE(Steady::now() - began, milliseconds(190));
  EXPECT_LT(Steady::now() - began, milliseconds(10'000)) << "on a machine that does other things";
}

}  // namespace
}  // namespace walstorm::tests
