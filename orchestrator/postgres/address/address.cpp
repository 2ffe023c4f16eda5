#include "orchestrator/postgres/address/address.h"

#include <cctype>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <string_view>
#include <utility>

#include <libpq-fe.h>

#include "orchestrator/postgres/address/address_defaults.h"
#include "orchestrator/postgres/address/connection_url.h"
#include "orchestrator/postgres/address/driver_parameters.h"
#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

namespace walstorm::postgres {
namespace {

using wire::Error;
using wire::ErrorKind;

/// A private server's socket is named by it; nobody else sees it.
constexpr const char* kPrivatePort = "5432";

/// One value of a keyword string: quoted, with ' and \ escaped (libpq, "Keyword/Value Connection Strings").
std::string quoted(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

/// libpq quotes what it could not read. Where the parts of the whole cannot be told apart, that may be the
/// password.
std::string without_quotations(const std::string& text) {
  std::string out;
  bool quotation = false;
  for (const char c : text) {
    if (c == '"') {
      out += quotation ? "\"" : "\"...";
      quotation = !quotation;
    } else if (!quotation) {
      out += c;
    }
  }
  return out;
}

constexpr const char* kExample = "postgresql://user:password@host:5432/database";

/// Of what cannot be read nothing is shown beyond its scheme: any part of it may be the password.
[[noreturn]] void refuse_unreadable(const std::string& key, const std::string& why) {
  throw Error(
      ErrorKind::config,
      fmt::format("{}: cannot be read ({}); write it as {}, with percent-encoding (%40 for @, %2F for "
                  "/, %25 for %) for what is not a letter or a digit in the password",
                  key, why, kExample));
}

std::string search_path_option(const std::string& schema) {
  // A quoted identifier; and a backslash before what would end the option (PostgreSQL, pg_split_opts()).
  std::string option = "-csearch_path=\"";
  for (const char c : schema) {
    if (c == '"') option += '"';
    if (c == '\\' || std::isspace(static_cast<unsigned char>(c)) != 0) option += '\\';
    option += c;
  }
  return option + "\"";
}

struct Readable {
  std::string for_libpq;
  bool plain = false;  ///< libpq's words about it may be shown
  DriverParameters drivers;
};

/// A keyword string is left to libpq as it is.
Readable readable(const std::string& text, const std::string& key) {
  if (!looks_like_url(text)) return {text, false, {}};
  const std::string scheme = text.substr(0, text.find("://"));
  if (scheme != "postgresql" && scheme != "postgres") {
    throw Error(ErrorKind::config,
                fmt::format("{}: {}:// is not what libpq reads; write it as {}", key, scheme, kExample));
  }
  auto url = split_url(text);
  if (!url)
    refuse_unreadable(key, scheme + "://..., whose user, password, host and port cannot be told apart");
  DriverParameters drivers = take_out_driver_parameters(*url);
  if (!drivers.problems.empty()) {
    // Of a URL that is not plain, they may be parts of a password.
    if (!url->plain) refuse_unreadable(key, "with parameters that libpq does not know");
    throw Error(ErrorKind::config,
                fmt::format("{}: {}", key, fmt::join(drivers.problems, fmt::format("\n{}: ", key))));
  }
  return {url->text(), url->plain, std::move(drivers)};
}

}  // namespace

Address Address::parse(const std::string& url, const std::string& key, const Variables& environment) {
  Readable read = readable(url, key);
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(read.for_libpq.c_str(), &message), PQconninfoFree);
  if (!options) {
    std::string why = message != nullptr ? message : "out of memory";
    PQfreemem(message);
    why.erase(why.find_last_not_of('\n') + 1);
    if (!read.plain) refuse_unreadable(key, without_quotations(why));
    throw Error(ErrorKind::config, fmt::format("{}: {}; write it as {}", key, why, kExample));
  }
  Address address;
  address.schema_ = std::move(read.drivers.schema);
  address.ignored_ = std::move(read.drivers.ignored);
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string keyword = option->keyword;
    if (keyword == "dbname") {
      address.database_ = option->val;
    } else if (keyword != "application_name" && keyword != "replication") {
      address.keywords_[keyword] = option->val;
    }
  }
  AddressDefaults defaults = address_defaults(address.keywords_, environment);
  if (!defaults.keywords.empty()) address.keywords_.erase("service");  // spelled out, or named again in there
  address.keywords_.merge(defaults.keywords);
  address.variables_ = std::move(defaults.variables);
  return address;
}

Address Address::on_socket(const std::string& socket_dir, const std::string& user) {
  Address address;
  take_postgres_variables();
  address.keywords_ = {{"host", socket_dir}, {"port", kPrivatePort}, {"user", user}};
  return address;
}

Address Address::with_schema(const std::string& schema) const {
  Address other = *this;
  other.schema_ = schema;
  return other;
}

std::string Address::conninfo(const std::string& database, const std::string& application_name) const {
  std::map<std::string, std::string> keywords = keywords_;
  keywords["dbname"] = database;
  keywords["application_name"] = application_name;
  // A peer that vanished without a word is found out within half a minute; a living one may be silent for as
  // long as it likes. libpq takes these for TCP alone.
  return conninfo_of(std::move(keywords));
}

std::string Address::conninfo_with_passfile(const std::string& database, const std::string& passfile) const {
  std::map<std::string, std::string> keywords = keywords_;
  keywords["dbname"] = database;
  keywords["application_name"] = "walstorm";
  if (keywords.erase("password") > 0) keywords["passfile"] = passfile;
  return conninfo_of(std::move(keywords));
}

std::string Address::passfile_line() const {
  const auto password = keywords_.find("password");
  if (password == keywords_.end()) return {};
  std::string line = "*:*:*:*:";
  for (const char c : password->second) {
    if (c == ':' || c == '\\') line += '\\';
    line += c;
  }
  return line + "\n";
}

void Address::require_passfile_is_enough() const {
  const auto password = keywords_.find("password");
  const bool several_lines =
      password != keywords_.end() && password->second.find_first_of("\r\n") != std::string::npos;
  if (!several_lines && !keywords_.contains("sslpassword")) return;
  throw Error(
      ErrorKind::config,
      fmt::format(
          "database.copySchemaFrom: pg_dump gets its secrets by a password file, which cannot hold {}",
          several_lines ? "a password with a line break in it"
                        : "the sslpassword of a key: use a key without one"));
}

std::string Address::conninfo_of(std::map<std::string, std::string> keywords) const {
  // Texts come in the client's encoding, the walsender's too, and roles and databases may set another one.
  keywords["client_encoding"] = "UTF8";
  keywords.try_emplace("connect_timeout", "10");
  keywords.try_emplace("keepalives_idle", "10");
  keywords.try_emplace("keepalives_interval", "5");
  keywords.try_emplace("keepalives_count", "4");
  keywords.try_emplace("tcp_user_timeout", "30000");
  if (!schema_.empty()) {
    std::string& options = keywords["options"];
    options += (options.empty() ? "" : " ") + search_path_option(schema_);
  }
  std::string text;
  for (const auto& [keyword, value] : keywords) text += fmt::format("{}={} ", keyword, quoted(value));
  return text;
}

std::string Address::ignored_text() const {
  if (ignored_.empty()) return {};
  return fmt::format("left out of the URL for PostgreSQL, as for other drivers alone: {}",
                     fmt::join(ignored_, ", "));
}

std::string Address::shown() const {
  const auto value = [this](const char* keyword, const char* otherwise) {
    const auto found = keywords_.find(keyword);
    return found == keywords_.end() ? std::string(otherwise) : found->second;
  };
  const std::string user = value("user", "");
  const std::string with_variables =
      variables_.empty() ? "" : fmt::format(" (with {} from the environment)", fmt::join(variables_, ", "));
  if (const std::string service = value("service", ""); !service.empty() && !keywords_.contains("host")) {
    return fmt::format("service \"{}\"{}{}", service, user.empty() ? "" : fmt::format(" as \"{}\"", user),
                       with_variables);
  }
  const std::string address = value("hostaddr", "");
  std::string host = value("host", address.empty() ? "the local socket" : address.c_str());
  if (!address.empty() && address != host) host += fmt::format(" ({})", address);
  const bool by_socket = host.starts_with('/') && address.empty();
  return fmt::format("{}{}{}{}", host, by_socket ? "" : ":" + value("port", "5432"),
                     user.empty() ? "" : fmt::format(" as \"{}\"", user), with_variables);
}

}  // namespace walstorm::postgres
