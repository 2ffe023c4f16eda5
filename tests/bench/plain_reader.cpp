// The least that a reader of logical replication can do: receive into one large buffer, find the messages,
// count the inserts, drop everything. No library between it and the socket. `./dev bench drain` holds the
// consumer against it.
//
//   walstorm-bench-plain-reader HOST PORT SLOT PUBLICATION      HOST: an address, or the folder of a unix
//   socket
//
// Reads until the first message of pg_logical_emit_message() and prints the number of inserts before it.
// https://www.postgresql.org/docs/current/protocol-replication.html,
// .../protocol-logicalrep-message-formats.html

#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <endian.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t kBufferBytes = 1 << 20;
/// Of a message from the server: its kind and its length, which counts itself.
constexpr std::size_t kFrameHeader = 1 + 4;
constexpr std::size_t kXLogDataHeader = 1 + 8 + 8 + 8;

std::uint32_t big_endian_32(const char* from) {
  std::uint32_t number = 0;
  std::memcpy(&number, from, sizeof number);
  return be32toh(number);
}

void append_32(std::string& to, std::uint32_t number) {
  number = htobe32(number);
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

int connect_to(const std::string& host, int port) {
  const bool unix_socket = host.starts_with('/');
  const int fd = ::socket(unix_socket ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
  int answer = -1;
  if (unix_socket) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    const std::string path = fmt::format("{}/.s.PGSQL.{}", host, port);
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    answer = ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
  } else {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, host.c_str(), &at.sin_addr);
    answer = ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (answer != 0) throw std::runtime_error(fmt::format("connect to {}: {}", host, std::strerror(errno)));
  return fd;
}

class PlainReader final {
 public:
  PlainReader(const std::string& host, int port) : fd_(connect_to(host, port)) {}
  PlainReader(const PlainReader&) = delete;
  PlainReader& operator=(const PlainReader&) = delete;
  ~PlainReader() { ::close(fd_); }

  std::uint64_t read(const std::string& slot, const std::string& publication) {
    start_up();
    query(
        fmt::format("START_REPLICATION SLOT \"{}\" LOGICAL 0/0 (proto_version '1', publication_names '{}', "
                    "binary 'true', messages 'true')",
                    slot, publication));
    while (!at_end_) receive();
    return inserts_;
  }

 private:
  void start_up() {
    std::string parameters;
    for (const std::string_view text :
         {"user", "walstorm", "database", "postgres", "replication", "database"}) {
      parameters.append(text).push_back('\0');
    }
    parameters.push_back('\0');
    std::string message;
    append_32(message, static_cast<std::uint32_t>(4 + 4 + parameters.size()));
    append_32(message, 3 << 16);  // protocol 3.0
    put(message + parameters);
    while (!ready_) receive();
  }

  void query(const std::string& sql) {
    std::string message(1, 'Q');
    append_32(message, static_cast<std::uint32_t>(4 + sql.size() + 1));
    put(message + sql + '\0');
  }

  void put(std::string_view bytes) const {
    if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error(fmt::format("send: {}", std::strerror(errno)));
    }
  }

  /// One recv, and all whole messages that are there then.
  void receive() {
    const ssize_t got = ::recv(fd_, buffer_.data() + end_, buffer_.size() - end_, 0);
    if (got <= 0)
      throw std::runtime_error(got == 0 ? "the server has closed the connection" : std::strerror(errno));
    end_ += static_cast<std::size_t>(got);
    std::size_t at = 0;
    while (end_ - at >= kFrameHeader) {
      const std::size_t size = 1 + big_endian_32(buffer_.data() + at + 1);
      if (end_ - at < size) break;
      take(buffer_[at], {buffer_.data() + at + kFrameHeader, size - kFrameHeader});
      at += size;
    }
    std::memmove(buffer_.data(), buffer_.data() + at, end_ - at);
    end_ -= at;
  }

  void take(char kind, std::string_view body) {
    if (kind == 'E') throw std::runtime_error(fmt::format("the server says: {}", body.substr(0, 200)));
    if (kind == 'Z') ready_ = true;
    if (kind != 'd') return;
    if (body.starts_with('k') && body.back() != 0) answer_keepalive();
    if (!body.starts_with('w')) return;
    const char change = body[kXLogDataHeader];
    if (change == 'I') ++inserts_;
    if (change == 'M') at_end_ = true;
  }

  /// Confirms nothing: the slot is a copy that goes afterwards.
  void answer_keepalive() const {
    std::string message(1, 'd');
    append_32(message, 4 + 1 + 8 * 4 + 1);
    message += 'r';
    message.append(8 * 4 + 1, '\0');
    put(message);
  }

  int fd_;
  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
  std::size_t end_ = 0;  // of what is received and not yet taken
  bool ready_ = false;
  bool at_end_ = false;
  std::uint64_t inserts_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: {} HOST PORT SLOT PUBLICATION\n", argv[0]);
    return 2;
  }
  try {
    fmt::print("{}\n", PlainReader(argv[1], std::atoi(argv[2])).read(argv[3], argv[4]));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
}
