#pragma once

#include <string>

namespace walstorm::config {

/// The text of a connection URL, or of anything that may hold one, with each password replaced by ***: the
/// one before the host and those in the query or in keywords (`password=`, `sslpassword=`). Of a URL whose
/// parts cannot be told apart (a raw '@' or '/' in a password, a host that was forgotten) nothing stands
/// there beyond its scheme. For logs, errors and reports.
[[nodiscard]] std::string without_secrets(std::string url);

}  // namespace walstorm::config
