#include "orchestrator/clickhouse/private_server.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <random>
#include <system_error>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>

#include "orchestrator/process/program_path.h"
#include "orchestrator/process/server_user.h"
#include "proto/clickhouse/http_client.h"
#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

namespace fs = std::filesystem;
using boost::asio::ip::tcp;
using process::Waited;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::Error;
using wire::ErrorKind;

constexpr const char* kUser = "walstorm";
constexpr seconds kStartTimeout{60};
constexpr seconds kStopTimeout{10};
constexpr milliseconds kAskEvery{50};
/// A port that was free may be taken by the time the server gets to it.
constexpr int kPortsTried = 5;

/// What every private server is told. Only keys that mean the same from 18.16 to today, or nothing. No system
/// log tables: there are none unless they are asked for. Of parts it takes as many as a server of today does
/// as it comes, also where its version would take fewer (merge_tree settings, 23.6).
constexpr const char* kConfig = R"(<clickhouse>
  <logger><level>warning</level><console>1</console></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{port}</http_port>
  <keep_alive_timeout>30</keep_alive_timeout>
  <http_server_default_response>{greeting}</http_server_default_response>
  <path>{folder}/data/</path>
  <tmp_path>{folder}/tmp/</tmp_path>
  <user_files_path>{folder}/user_files/</user_files_path>
  <format_schema_path>{folder}/format_schemas/</format_schema_path>
  <users_config>{folder}/users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <timezone>UTC</timezone>
  <mlock_executable>false</mlock_executable>
  <max_connections>2048</max_connections>
  <max_concurrent_queries>1100</max_concurrent_queries>
  <mark_cache_size>67108864</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <max_server_memory_usage>{memory}</max_server_memory_usage>
  <merge_tree>
    <parts_to_delay_insert>1000</parts_to_delay_insert>
    <parts_to_throw_insert>3000</parts_to_throw_insert>
  </merge_tree>
</clickhouse>
)";

constexpr const char* kUsers = R"(<clickhouse>
  <profiles><default><max_memory_usage>{memory}</max_memory_usage></default></profiles>
  <users>
    <{user}>
      <password>{password}</password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </{user}>
  </users>
  <quotas><default></default></quotas>
</clickhouse>
)";

/// Half of what the machine has: PostgreSQL and the workers live on it as well.
std::uint64_t memory_bytes_max() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) / 2 *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string in_xml(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else {
      result += c;
    }
  }
  return result;
}

std::string random_secret() {
  std::random_device random;
  std::string secret;
  for (int i = 0; i < 4; ++i) secret += fmt::format("{:08x}", random());
  return secret;
}

std::uint16_t free_port(boost::asio::io_context& io) {
  tcp::acceptor probe(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  return probe.local_endpoint().port();
}

/// An ordinary user's PATH lacks /usr/sbin, where Debian has it.
fs::path find_program(const char* name) {
  return process::in_path(name, {"/usr/sbin", "/usr/bin", "/usr/local/bin"});
}

/// Makes the file anew, for `user` if that is somebody else. The folder is the server's user's by the time of
/// a second try: nothing that stands there under this name is written through.
void write(const fs::path& file, const std::string& text, const std::optional<process::UserId>& user) {
  ::unlink(file.c_str());
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  const bool written = fd >= 0 &&
                       ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       (!user || ::fchown(fd, user->uid, user->gid) == 0);
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (written) return;
  throw Error(ErrorKind::unavailable, fmt::format("start a private ClickHouse: write {}: {}", file.string(),
                                                  std::generic_category().message(error)));
}

}  // namespace

ServerProgram find_clickhouse_server() {
  if (const fs::path server = find_program("clickhouse-server"); !server.empty()) return {server, {}};
  if (const fs::path all = find_program("clickhouse"); !all.empty()) return {all, {"server"}};
  throw Error(ErrorKind::unavailable,
              "start a private ClickHouse: found neither clickhouse-server nor clickhouse in PATH; install "
              "it (apt-get "
              "install clickhouse-server), name a server with clickhouse.url or CLICKHOUSE_URL, or use "
              "--mock-clickhouse");
}

PrivateServer::PrivateServer(process::EventLoop& loop, const fs::path& log_file, const ServerProgram& program,
                             std::uint16_t first_port)
    : loop_(loop),
      user_(process::server_user("clickhouse", "start a private ClickHouse")),
      folder_(process::FolderFor::clickhouse),
      log_file_(log_file) {
  address_.host = "127.0.0.1";
  address_.port = first_port;
  address_.user = kUser;
  address_.password = random_secret();
  greeting_ = "walstorm-" + random_secret();
  try {
    for (int i = 0; i < kPortsTried; ++i) {
      if (i > 0 || first_port == 0) address_.port = free_port(loop.io());
      write_configuration();
      if (launch(program)) return;
    }
    throw Error(
        ErrorKind::unavailable,
        fmt::format("start a private ClickHouse: {} ports that were free were taken before it could listen",
                    kPortsTried));
  } catch (...) {
    stop();
    throw;
  }
}

PrivateServer::~PrivateServer() {
  stop();
}

void PrivateServer::write_configuration() const {
  const fs::path& folder = folder_.path();
  for (const char* name : {"data", "tmp", "user_files", "format_schemas"})
    fs::create_directories(folder / name);
  write(folder / "config.xml",
        fmt::format(fmt::runtime(kConfig), fmt::arg("port", address_.port), fmt::arg("greeting", greeting_),
                    fmt::arg("folder", in_xml(folder.string())), fmt::arg("memory", memory_bytes_max())),
        user_);
  write(folder / "users.xml",
        fmt::format(fmt::runtime(kUsers), fmt::arg("memory", memory_bytes_max()), fmt::arg("user", kUser),
                    fmt::arg("password", address_.password)),
        user_);
  if (user_) give_folder_to_user();
}

void PrivateServer::give_folder_to_user() const {
  const fs::path& folder = folder_.path();
  for (const char* name : {"data", "tmp", "user_files", "format_schemas", "."}) {
    const fs::path entry = folder / name;
    if (::lchown(entry.c_str(), user_->uid, user_->gid) != 0) {
      throw Error(ErrorKind::unavailable,
                  fmt::format("give {} to the server's user: errno {}", entry.string(), errno));
    }
  }
}

/// Starts the server and waits until it answers. False when its port was taken; throws when it did not start
/// for any other reason.
bool PrivateServer::launch(const ServerProgram& program) {
  process::ChildOptions options;
  // A server without a terminal would fork itself under a watchdog, and only that be our child.
  options.program = "/usr/bin/env";
  options.arguments = {"CLICKHOUSE_WATCHDOG_ENABLE=0", program.path.string()};
  options.arguments.insert(options.arguments.end(), program.arguments.begin(), program.arguments.end());
  options.arguments.push_back("--config-file=" + (folder_.path() / "config.xml").string());
  options.log_file = log_file_;
  options.run_as = user_;
  server_ = std::make_unique<process::ChildProcess>(loop_, options);

  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  while (!server_->ended() && std::chrono::steady_clock::now() < deadline) {
    if (answers()) return true;
  }
  const std::string last_lines = process::last_lines(log_file_, 10);
  if (server_->ended() && last_lines.find("Address already in use") != std::string::npos) return false;
  throw Error(
      ErrorKind::unavailable,
      fmt::format("start a private ClickHouse ({}): {}; its last lines:\n{}", program.path.string(),
                  server_->ended() ? to_string(*server_->ended()) : "it did not answer in time", last_lines));
}

/// Asks once, and waits a moment if that was in vain. Throws process::Interrupted.
///
/// Between the choice of a port and the server's getting to it another process may have taken it. So no key
/// is sent before whoever listens there has shown what only our server's own configuration says.
bool PrivateServer::answers() {
  HttpClient::Limits limits;
  limits.connect_timeout = limits.answer_timeout = seconds(1);
  HttpClient client(loop_.io(), address_, limits);
  std::optional<Answer> answer;
  client.send({.sql = ""}, [&](const Answer& greeting) {
    if (!greeting.ok() || greeting.text.find(greeting_) == std::string::npos) {
      answer = Answer{};
      return;
    }
    client.send({.sql = "SELECT 1"}, [&answer](const Answer& arrived) { answer = arrived; });
  });
  const auto over = [&] { return answer.has_value() || server_->ended().has_value(); };
  if (loop_.wait(2 * limits.answer_timeout, 0, over) == Waited::interrupted) throw process::Interrupted{};
  if (answer && answer->ok()) return !server_->ended();
  boost::asio::steady_timer tick(loop_.io(), kAskEvery);
  tick.async_wait([](const boost::system::error_code&) {});
  if (loop_.wait(kAskEvery, 0, [this] { return server_->ended().has_value(); }) == Waited::interrupted)
    throw process::Interrupted{};
  return false;
}

std::string PrivateServer::failure() const {
  if (!server_ || !server_->ended()) return {};
  return fmt::format("the private ClickHouse ended: {}; its last lines:\n{}", to_string(*server_->ended()),
                     process::last_lines(log_file_, 5));
}

void PrivateServer::stop() {
  if (server_ && !server_->ended()) {
    server_->send_signal(SIGKILL);
    (void)loop_.wait(kStopTimeout, loop_.interrupts(), [this] { return server_->ended().has_value(); });
  }
  server_.reset();
  folder_.remove();
}

}  // namespace walstorm::clickhouse
