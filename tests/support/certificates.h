#pragma once

#include <filesystem>
#include <string>

namespace walstorm::tests {

struct Certificate {
  std::filesystem::path file;
  std::filesystem::path key;
};

/// Of a CA that exists for one test, in `folder`.
[[nodiscard]] Certificate make_ca(const std::filesystem::path& folder);

/// For a server, signed by `ca`; `names` as subjectAltName has them: "DNS:localhost,IP:127.0.0.1".
[[nodiscard]] Certificate issue(const Certificate& ca, const std::string& names);

/// The same, signed by nobody but itself.
[[nodiscard]] Certificate self_sign(const std::filesystem::path& folder, const std::string& names);

}  // namespace walstorm::tests
