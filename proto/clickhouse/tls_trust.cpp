#include "proto/clickhouse/tls_trust.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/ip/address.hpp>

#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

std::string advice(long reason, const std::string& host) {
  switch (reason) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("it is not for {}: use a name that the certificate is for", host);
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "renew it, or set this machine's clock";
    default:
      return "if it is to be trusted, put the certificate of its CA into a file and set SSL_CERT_FILE to "
             "that file";
  }
}

}  // namespace

TlsTrust::TlsTrust() {
  boost::system::error_code error;
  context_.set_default_verify_paths(error);
  if (error) {
    throw wire::Error(
        wire::ErrorKind::unavailable,
        fmt::format("read the system's CA certificates (SSL_CERT_FILE, SSL_CERT_DIR): {}", error.message()));
  }
  context_.set_verify_mode(boost::asio::ssl::verify_peer);
  SSL_CTX_set_min_proto_version(context_.native_handle(), TLS1_2_VERSION);
}

void TlsTrust::expect_host(SSL* ssl, const std::string& host) {
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(host, not_an_address);
  if (not_an_address) {
    SSL_set_tlsext_host_name(ssl, host.c_str());  // SNI, which is for names alone
    SSL_set1_host(ssl, host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  }
}

std::string TlsTrust::certificate_trouble(const SSL* ssl, const std::string& host) {
  const long reason = SSL_get_verify_result(ssl);
  if (reason == X509_V_OK) return {};
  return fmt::format("its certificate is not accepted: {}; {}", X509_verify_cert_error_string(reason),
                     advice(reason, host));
}

}  // namespace walstorm::clickhouse
