#include "orchestrator/postgres/private_server.h"

#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

#include "orchestrator/process/folder_processes.h"
#include "orchestrator/process/program_path.h"
#include "orchestrator/process/server_user.h"
#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

namespace fs = std::filesystem;
using process::Waited;
using wire::Error;
using wire::ErrorKind;

constexpr const char* kSuperuser = "walstorm";
constexpr std::chrono::seconds kInitdbTimeout{60};
constexpr std::chrono::seconds kStartTimeout{60};
constexpr std::chrono::seconds kStopTimeout{10};

/// Settings of every private server: what replication needs, and room for a load test's WAL between
/// checkpoints.
const std::map<std::string, std::string> kSettings{
    {"wal_level", "logical"},
    {"listen_addresses", ""},
    {"max_wal_size", "8GB"},
    {"shared_buffers", "256MB"},
    {"max_wal_senders", "10"},
    {"max_replication_slots", "10"},
    {"unix_socket_permissions", "0700"},
    {"log_line_prefix", "%m [%p] "},
};

/// Its socket's path has to fit into sockaddr_un, and PostgreSQL and libpq both take a comma for the end of
/// one folder (unix_socket_directories, host).
void require_socket_folder(const fs::path& folder) {
  const std::string socket = (folder / ".s.PGSQL.5432").string();
  const std::string why =
      socket.size() >= sizeof(sockaddr_un::sun_path)
          ? fmt::format("{} is longer than the {} characters that a unix socket's path may have", socket,
                        sizeof(sockaddr_un::sun_path) - 1)
      : socket.find(',') != std::string::npos
          ? fmt::format("{} has a comma, which ends a socket's folder", socket)
          : "";
  if (why.empty()) return;
  throw Error(ErrorKind::unavailable,
              fmt::format("start a private PostgreSQL: {}: set TMPDIR to another folder, such as /tmp", why));
}

}  // namespace

fs::path find_postgres_binaries() {
  fs::path best;
  int best_version = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version > best_version && fs::exists(entry.path() / "bin" / "initdb")) {
      best = entry.path() / "bin";
      best_version = version;
    }
  }
  if (!best.empty()) return best;
  for (const fs::path& folder : process::path_folders()) {
    if (fs::exists(folder / "initdb") && fs::exists(folder / "postgres")) return folder;
  }
  throw Error(ErrorKind::unavailable,
              "start a private PostgreSQL: found no initdb in /usr/lib/postgresql/*/bin or PATH; install it "
              "(apt-get install postgresql) or name a server with database.url or DATABASE_URL");
}

PrivateServer::PrivateServer(process::EventLoop& loop, const std::map<std::string, std::string>& settings,
                             const fs::path& log_file, const fs::path& binaries)
    : loop_(loop),
      user_(process::server_user("postgres", "start a private PostgreSQL")),
      folder_(process::FolderFor::postgres),
      log_file_(log_file) {
  take_postgres_variables();  // initdb and postgres read them too
  try {
    require_socket_folder(folder_.path());
    initialise(binaries, log_file);
    launch(binaries, settings, log_file);
  } catch (...) {
    stop();
    throw;
  }
}

PrivateServer::~PrivateServer() {
  stop();
}

void PrivateServer::initialise(const fs::path& bin, const fs::path& log_file) {
  if (user_ && ::chown(folder_.path().c_str(), user_->uid, user_->gid) != 0) {
    throw Error(ErrorKind::unavailable,
                fmt::format("give {} to the server's user: errno {}", folder_.path().string(), errno));
  }
  process::ChildOptions options;
  options.program = bin / "initdb";
  options.arguments = {"--pgdata",    (folder_.path() / "data").string(),
                       "--username",  kSuperuser,
                       "--auth",      "trust",
                       "--encoding",  "UTF8",
                       "--no-locale", "--no-sync"};
  options.log_file = log_file;
  options.run_as = user_;
  process::run_to_end(loop_, options, kInitdbTimeout);
}

void PrivateServer::launch(const fs::path& bin, const std::map<std::string, std::string>& settings,
                           const fs::path& log_file) {
  std::map<std::string, std::string> all = settings;
  all.insert(kSettings.begin(), kSettings.end());
  process::ChildOptions options;
  options.program = bin / "postgres";
  options.arguments = {"-D", (folder_.path() / "data").string(), "-k", folder_.path().string(), "-p", "5432"};
  for (const auto& [name, value] : all) {
    options.arguments.emplace_back("-c");
    options.arguments.push_back(fmt::format("{}={}", name, value));
  }
  options.log_file = log_file;
  options.run_as = user_;
  options.death_signal = SIGQUIT;  // PostgreSQL's immediate shutdown: ends its own children too
  server_ = std::make_unique<process::ChildProcess>(loop_, options);
  address_ = Address::on_socket(folder_.path().string(), kSuperuser);

  // postmaster.pid says "ready" on its eighth line once connections are accepted
  // (src/include/utils/pidfile.h).
  boost::asio::steady_timer tick(loop_.io());
  bool ready = false;
  std::function<void()> look = [&] {
    ready = process::last_lines(folder_.path() / "data" / "postmaster.pid", 1).starts_with("ready");
    if (ready) return;
    tick.expires_after(std::chrono::milliseconds(20));
    tick.async_wait([&](const boost::system::error_code& error) {
      if (!error) look();
    });
  };
  look();
  const Waited waited = loop_.wait(kStartTimeout, 0, [&] { return ready || server_->ended(); });
  tick.cancel();
  loop_.io().poll();  // lets the cancelled timer's handler go before what it refers to does
  if (ready) return;
  if (waited == Waited::interrupted) throw process::Interrupted{};
  throw Error(ErrorKind::unavailable,
              fmt::format("start a private PostgreSQL with {}: {}\n{}", (bin / "postgres").string(),
                          server_->ended() ? to_string(*server_->ended()) : "it was not ready in time",
                          process::last_lines(log_file, 10)));
}

std::string PrivateServer::failure() const {
  if (!server_ || !server_->ended()) return {};
  return fmt::format("the private PostgreSQL ended: {}; its last lines:\n{}", to_string(*server_->ended()),
                     process::last_lines(log_file_, 5));
}

void PrivateServer::stop() {
  if (server_ && !server_->ended()) {
    server_->send_signal(SIGQUIT);
    // What keeps running after this is killed by the ChildProcess.
    (void)loop_.wait(kStopTimeout, loop_.interrupts(), [this] { return server_->ended().has_value(); });
  }
  server_.reset();
  // A postmaster that was killed leaves the others to notice it.
  (void)process::end_processes_of(folder_.path(), kStopTimeout);
  folder_.remove();
}

}  // namespace walstorm::postgres
