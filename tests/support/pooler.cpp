#include "tests/support/pooler.h"

#include <csignal>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/process/server_user.h"

namespace walstorm::tests {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kTimeout{60};

}  // namespace

std::optional<fs::path> find_pgbouncer() {
  for (const char* program : {"/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"}) {
    if (::access(program, X_OK) == 0) return program;
  }
  return std::nullopt;
}

Pooler::Pooler(process::EventLoop& loop, const fs::path& program, const std::string& mode,
               const fs::path& server_socket_folder)
    : loop_(loop) {
  const auto user = process::server_user("postgres", "run a PgBouncer");
  fs::permissions(folder_.path(), fs::perms{0755});
  if (user && ::chown(folder_.path().c_str(), user->uid, user->gid) != 0) throw std::runtime_error("chown");
  const fs::path ini = folder_.path() / "pgbouncer.ini";
  std::ofstream(ini) << "[databases]\n* = user=walstorm host=" << server_socket_folder.string()
                     << "\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = "
                     << folder_.path().string() << "\nauth_type = any\npool_mode = " << mode << "\n";
  process::ChildOptions options;
  options.program = program;
  options.arguments = {ini.string()};
  options.log_file = folder_.path() / "pgbouncer.log";
  options.run_as = user;
  options.death_signal = SIGKILL;
  child_ = std::make_unique<process::ChildProcess>(loop_, options);
  const fs::path socket = folder_.path() / ".s.PGSQL.6432";
  boost::asio::steady_timer tick(loop_.io());
  std::function<void()> beat = [&] {
    tick.expires_after(std::chrono::milliseconds(20));
    tick.async_wait([&](const boost::system::error_code& error) {
      if (!error) beat();
    });
  };
  beat();
  (void)loop_.wait(kTimeout, 0, [&] { return fs::exists(socket) || child_->ended(); });
  tick.cancel();
  loop_.io().poll();
  if (!fs::exists(socket))
    throw std::runtime_error("PgBouncer is not ready:\n" + process::last_lines(options.log_file, 20));
}

Pooler::~Pooler() {
  if (child_->ended()) return;
  child_->send_signal(SIGKILL);
  (void)loop_.wait(kTimeout, loop_.interrupts(), [this] { return child_->ended().has_value(); });
}

std::string Pooler::url() const {
  return "postgresql://walstorm@/postgres?port=6432&host=" + folder_.path().string();
}

}  // namespace walstorm::tests
