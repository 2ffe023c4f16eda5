#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace walstorm::postgres {

/// libpq's host, hostaddr and port with every name looked up; all empty where there is nothing to look up.
struct HostAddresses {
  std::string host, hostaddr, port;

  /// As keywords and values of PQconnectStartParams, to stand after dbname: what comes later wins.
  void append_to(std::vector<const char*>& keywords, std::vector<const char*>& values) const;
};

/// Looks up the host names of a libpq connection string off the loop. PQconnectStart does it itself, and
/// keeps the loop waiting for as long as the resolver takes, tens of seconds where a name server does not
/// answer.
class HostLookup final {
 public:
  /// `error`: no name at all could be looked up; libpq's own wording of it, or that the time was up.
  using Done = std::function<void(const HostAddresses& addresses, const std::string& error)>;

  explicit HostLookup(boost::asio::io_context& loop);
  HostLookup(const HostLookup&) = delete;
  HostLookup& operator=(const HostLookup&) = delete;
  /// `done` is not called any more; the look-up itself, which nothing can call back, ends by itself.
  ~HostLookup();

  /// `done` is called once, on the loop: from within where there is nothing to look up. One at a time: a new
  /// one takes the place of one that is under way.
  void start(const std::string& conninfo, Done done);
  /// Forgets the one that is under way.
  void cancel();

 private:
  struct Answer;
  struct UnderWay;

  boost::asio::io_context& loop_;
  std::shared_ptr<UnderWay> under_way_;
};

/// The same for who waits for it anyway: blocks for `timeout_ms` at most. Empty addresses, and a text in
/// `error`, when it fails.
[[nodiscard]] HostAddresses look_up_hosts(const std::string& conninfo, int timeout_ms, std::string& error);

}  // namespace walstorm::postgres
