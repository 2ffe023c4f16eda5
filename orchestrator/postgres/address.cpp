#include "orchestrator/postgres/address.h"

#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <string_view>
#include <utility>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <libpq-fe.h>

#include "orchestrator/postgres/address_defaults.h"
#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

using wire::Error;
using wire::ErrorKind;

/// Query parameters of Prisma's connection URLs that libpq refuses.
constexpr std::array<std::string_view, 8> kPrismaOnly{"schema",    "connection_limit", "pool_timeout",
                                                      "pgbouncer", "socket_timeout",   "statement_cache_size",
                                                      "sslaccept", "sslidentity"};

struct ParsedUrl {
  std::string for_libpq;
  std::string schema;
  bool well_formed = false;
};

/// A keyword string, or a URL that Boost.URL cannot read, is left to libpq as it is.
ParsedUrl take_out_prisma_parameters(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed.has_value()) return {url, {}, false};
  boost::urls::url editable = parsed.value();
  ParsedUrl result;
  // A password with a raw # or ? in it reads as another URL, in which the rest of it is something else.
  result.well_formed =
      !editable.has_fragment() && editable.encoded_query().find('@') == std::string_view::npos;
  for (const std::string_view name : kPrismaOnly) {
    auto parameters = editable.params();
    const auto found = parameters.find(name);
    if (found == parameters.end()) continue;
    if (name == "schema") result.schema = (*found).value;
    parameters.erase(found);
  }
  if (editable.has_query() && editable.params().empty()) editable.remove_query();
  result.for_libpq = std::string(editable.buffer());
  return result;
}

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

std::string refusal(const std::string& key, std::string why, bool well_formed) {
  why.erase(why.find_last_not_of('\n') + 1);
  if (well_formed)
    return fmt::format("{}: {}; write it as postgresql://user:password@host:5432/database", key, why);
  return fmt::format(
      "{}: cannot be read ({}); write it as postgresql://user:password@host:5432/database, with "
      "percent-encoding "
      "(%40 for @, %25 for %) for what is not a letter or a digit in the password",
      key, without_quotations(why));
}

}  // namespace

Address Address::parse(const std::string& url, const std::string& key, const Variables& environment) {
  const ParsedUrl parsed = take_out_prisma_parameters(url);
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(parsed.for_libpq.c_str(), &message), PQconninfoFree);
  if (!options) {
    const std::string why = message != nullptr ? message : "out of memory";
    PQfreemem(message);
    throw Error(ErrorKind::config, refusal(key, why, parsed.well_formed));
  }
  Address address;
  address.schema_ = parsed.schema;
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
    options += fmt::format("{}-csearch_path=\"{}\"", options.empty() ? "" : " ", schema_);
  }
  std::string text;
  for (const auto& [keyword, value] : keywords) text += fmt::format("{}={} ", keyword, quoted(value));
  return text;
}

std::string Address::shown() const {
  const auto value = [this](const char* keyword, const char* otherwise) {
    const auto found = keywords_.find(keyword);
    return found == keywords_.end() ? std::string(otherwise) : found->second;
  };
  const std::string address = value("hostaddr", "");
  std::string host = value("host", address.empty() ? "the local socket" : address.c_str());
  if (!address.empty() && address != host) host += fmt::format(" ({})", address);
  const std::string user = value("user", "");
  const bool by_socket = host.starts_with('/') && address.empty();
  return fmt::format(
      "{}{}{}{}", host, by_socket ? "" : ":" + value("port", "5432"),
      user.empty() ? "" : fmt::format(" as \"{}\"", user),
      variables_.empty() ? "" : fmt::format(" (with {} from the environment)", fmt::join(variables_, ", ")));
}

}  // namespace walstorm::postgres
