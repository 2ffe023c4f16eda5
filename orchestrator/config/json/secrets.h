#pragma once

#include <string>
#include <string_view>

/// The one place that knows what a secret is. Every writer goes through it: what is a value of a config by
/// without_secrets() or shown_value(), every text that leaves the program (files, terminal, errors) by
/// hide_secrets() once more.
namespace walstorm::config {

/// The text of a connection URL, or of anything that may hold one, with each password replaced by ***: the
/// one before the host and those in the query or in keywords (`password=`, `sslpassword=`). Of a URL whose
/// parts cannot be told apart (a raw '@' or '/' in a password, a host that was forgotten) nothing stands
/// there beyond its scheme. For logs, errors and reports.
[[nodiscard]] std::string without_secrets(std::string url);

/// Whether the value of a key or of a URL's parameter of that name is a secret as a whole: "sslpassword",
/// "access_token".
[[nodiscard]] bool names_a_secret(std::string_view key);

/// A config value, as JSON or as the command line has it, with what is secret in its strings replaced.
[[nodiscard]] std::string shown_value(const std::string& value);

/// A whole text, of any number of lines, with the secrets of every URL in it replaced, and of every
/// `password=`. Keeps JSON what it is.
[[nodiscard]] std::string hide_secrets(const std::string& text);

}  // namespace walstorm::config
