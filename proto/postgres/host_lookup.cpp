#include "proto/postgres/host_lookup.h"

#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <future>
#include <netdb.h>
#include <sstream>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <libpq-fe.h>

namespace walstorm::postgres {
namespace {

struct Host {
  std::string name;
  std::string port;
};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

bool is_name(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  return !host.empty() && host[0] != '/' && host[0] != '@' && ::inet_pton(AF_INET, host.c_str(), &v4) != 1 &&
         ::inet_pton(AF_INET6, host.c_str(), &v6) != 1;
}

/// The hosts of `conninfo`, when one of them has to be looked up. A string that libpq cannot read, a service
/// file, hostaddr: libpq sees to it.
std::vector<Host> hosts_to_look_up(const std::string& conninfo) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(conninfo.c_str(), &error), PQconninfoFree);
  PQfreemem(error);
  std::string names;
  std::string ports;
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    const std::string_view keyword = option->keyword;
    if (option->val == nullptr || *option->val == '\0') continue;
    if (keyword == "hostaddr") return {};
    if (keyword == "host") names = option->val;
    if (keyword == "port") ports = option->val;
  }
  std::vector<Host> hosts;
  bool any = false;
  const std::vector<std::string> port_of = split(ports);
  for (std::string& name : split(names)) {
    any = any || is_name(name);
    // One port serves all hosts; none, or an empty one, is libpq's default.
    const std::size_t at = port_of.size() == 1 ? 0 : hosts.size();
    hosts.push_back({std::move(name), at < port_of.size() ? port_of[at] : ""});
  }
  return any ? hosts : std::vector<Host>{};
}

std::vector<std::string> addresses_of(const std::string& name, std::string& error) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(name.c_str(), nullptr, &wanted, &found); code != 0) {
    error = fmt::format("could not translate host name \"{}\" to address: {}", name, ::gai_strerror(code));
    return {};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text.data());
    }
  }
  return addresses;
}

struct Found {
  HostAddresses addresses;
  std::string error;
};

/// Each address is a host of its own to libpq, which goes through them in order. Blocks.
Found look_up(const std::vector<Host>& hosts) {
  Found found;
  std::string separator;
  const auto add = [&](const Host& host, const std::string& address) {
    found.addresses.host += separator + host.name;
    found.addresses.hostaddr += separator + address;
    found.addresses.port += separator + host.port;
    separator = ",";
  };
  for (const Host& host : hosts) {
    if (!is_name(host.name)) {
      add(host, host.name.starts_with('/') || host.name.starts_with('@') ? "" : host.name);
      continue;
    }
    for (const std::string& address : addresses_of(host.name, found.error)) add(host, address);
  }
  if (!separator.empty()) found.error.clear();
  return found;
}

}  // namespace

void HostAddresses::append_to(std::vector<const char*>& keywords, std::vector<const char*>& values) const {
  if (host.empty()) return;
  const auto add = [&](const char* keyword, const std::string& value) {
    keywords.push_back(keyword);
    values.push_back(value.c_str());
  };
  add("host", host);
  add("hostaddr", hostaddr);
  add("port", port);
}

/// What the thread that looks up and the loop have in common: the answer, which is the thread's until it
/// makes `ready` readable, and the loop's from then on. The thread touches nothing else: it may outlive the
/// loop.
struct HostLookup::Answer {
  Answer() : ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  ~Answer() { ::close(ready); }

  int ready;
  HostAddresses addresses;
  std::string error;
};

struct HostLookup::UnderWay {
  UnderWay(boost::asio::io_context& loop, Done its_done)
      : done(std::move(its_done)), descriptor(loop, ::dup(answer->ready)) {}

  Done done;
  std::shared_ptr<Answer> answer = std::make_shared<Answer>();
  boost::asio::posix::stream_descriptor descriptor;
};

HostLookup::HostLookup(boost::asio::io_context& loop) : loop_(loop) {}

HostLookup::~HostLookup() = default;

void HostLookup::start(const std::string& conninfo, Done done) {
  under_way_.reset();
  std::vector<Host> hosts = hosts_to_look_up(conninfo);
  if (hosts.empty()) {
    done({}, "");
    return;
  }
  under_way_ = std::make_shared<UnderWay>(loop_, std::move(done));
  under_way_->descriptor.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [this, waiting = std::weak_ptr<UnderWay>(under_way_)](const boost::system::error_code& error) {
        const auto ended = waiting.lock();
        if (error || !ended) return;
        eventfd_t once = 0;
        (void)::eventfd_read(ended->answer->ready, &once);  // what the thread wrote before is seen after this
        under_way_.reset();                                 // `done` may start the next one
        ended->done(ended->answer->addresses, ended->answer->error);
      });
  std::thread([hosts = std::move(hosts), answer = under_way_->answer] {
    Found found = look_up(hosts);
    answer->addresses = std::move(found.addresses);
    answer->error = std::move(found.error);
    ::eventfd_write(answer->ready, 1);
  }).detach();
}

void HostLookup::cancel() {
  under_way_.reset();
}

HostAddresses look_up_hosts(const std::string& conninfo, int timeout_ms, std::string& error) {
  std::vector<Host> hosts = hosts_to_look_up(conninfo);
  if (hosts.empty()) return {};
  std::promise<Found> promise;
  std::future<Found> answer = promise.get_future();
  std::thread([hosts = std::move(hosts), promise = std::move(promise)]() mutable {
    promise.set_value(look_up(hosts));
  }).detach();
  if (answer.wait_for(std::chrono::milliseconds(timeout_ms)) != std::future_status::ready) {
    error = fmt::format("look up the host of PostgreSQL: no answer within {:g} s", timeout_ms / 1e3);
    return {};
  }
  Found found = answer.get();
  error = found.error;
  return found.addresses;
}

}  // namespace walstorm::postgres
