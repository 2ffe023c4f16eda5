#pragma once

#include <string>

namespace walstorm::config {

/// The text of a connection URL, or of anything that may hold one, with each password replaced by ***: the
/// one before the host and those in the query or in keywords (`password=`, `sslpassword=`). Rather hides too
/// much than too little: passwords with a raw '@' or '/' in them are common. For logs, errors and reports.
[[nodiscard]] std::string without_secrets(std::string url);

}  // namespace walstorm::config
