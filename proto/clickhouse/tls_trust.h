#pragma once

#include <memory>
#include <openssl/types.h>
#include <string>

#include <boost/asio/ssl/context.hpp>

namespace walstorm::clickhouse {

/// Whom https trusts: the system's roots, and who can prove to be the host that was asked for.
class TlsTrust final {
 public:
  /// Throws Error{unavailable} when the system's roots cannot be read.
  TlsTrust();

  [[nodiscard]] boost::asio::ssl::context& context() { return context_; }

  /// Before the handshake: which host it is that must answer, a name or an address.
  static void expect_host(SSL* ssl, const std::string& host);
  /// After a handshake that failed: what is wrong with the certificate, and what to do; empty when that was
  /// not it.
  [[nodiscard]] static std::string certificate_trouble(const SSL* ssl, const std::string& host);

 private:
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
};

}  // namespace walstorm::clickhouse
