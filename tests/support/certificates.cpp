#include "tests/support/certificates.h"

#include <fmt/format.h>

#include "tests/support/servers.h"

namespace walstorm::tests {
namespace {

Certificate make(const std::filesystem::path& folder, const std::string& name, const std::string& options) {
  Certificate certificate{folder / (name + ".crt"), folder / (name + ".key")};
  run_program(
      fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={} "
                  "-out {} -keyout {} {}",
                  name, certificate.file.string(), certificate.key.string(), options));
  return certificate;
}

}  // namespace

Certificate make_ca(const std::filesystem::path& folder) {
  return make(folder, "walstorm-test-ca", "");
}

Certificate issue(const Certificate& ca, const std::string& names) {
  return make(
      ca.file.parent_path(), "server",
      fmt::format("-CA {} -CAkey {} -addext subjectAltName={} -addext basicConstraints=critical,CA:FALSE",
                  ca.file.string(), ca.key.string(), names));
}

Certificate self_sign(const std::filesystem::path& folder, const std::string& names) {
  return make(folder, "self-signed", "-addext subjectAltName=" + names);
}

}  // namespace walstorm::tests
