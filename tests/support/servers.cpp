#include "tests/support/servers.h"

#include <array>
#include <cstdio>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "orchestrator/process/server_user.h"

namespace walstorm::tests {
namespace {

namespace fs = std::filesystem;

/// Whether everybody may enter the folder and all above it.
bool is_open_to_all(fs::path folder) {
  while (true) {
    if ((fs::status(folder).permissions() & fs::perms::others_exec) == fs::perms::none) return false;
    if (folder == folder.root_path()) return true;
    folder = folder.parent_path();
  }
}

}  // namespace

std::optional<fs::path> other_postgres(int major, const fs::path& scratch) {
  const fs::path fetched = WALSTORM_OTHER_POSTGRES;
  const fs::path native = fetched / "node_modules" / ("postgresql-" + std::to_string(major)) / "native";
  if (!fs::exists(fetched / "fetched.lock") || !fs::exists(native / "bin" / "initdb")) return std::nullopt;
  if (::geteuid() != 0 || is_open_to_all(native)) return native / "bin";
  fs::copy(native, scratch / "native", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  return scratch / "native" / "bin";
}

unsigned free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

void give_to_server(const fs::path& file) {
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  const auto user = process::server_user("postgres", "give a file to a private PostgreSQL");
  if (!user) return;
  ASSERT_EQ(::chown(file.c_str(), user->uid, user->gid), 0);
}

std::string run_program(const std::string& command_line) {
  std::string output;
  FILE* pipe = ::popen((command_line + " 2>&1").c_str(), "r");
  if (pipe == nullptr) {
    ADD_FAILURE() << "cannot run " << command_line;
    return {};
  }
  std::array<char, 4096> chunk{};
  while (const auto read = std::fread(chunk.data(), 1, chunk.size(), pipe)) output.append(chunk.data(), read);
  EXPECT_EQ(::pclose(pipe), 0) << command_line << "\n" << output;
  return output;
}

}  // namespace walstorm::tests
