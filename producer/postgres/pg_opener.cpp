#include "producer/postgres/pg_opener.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <libpq-fe.h>

#include "proto/wire/error.h"

namespace walstorm::producer {

using boost::system::error_code;
using std::chrono::steady_clock;
using wire::Error;
using wire::ErrorKind;

namespace {

constexpr std::chrono::seconds kAttemptTimeout{10};
constexpr const char* kAttemptTimeoutSec = "10";
/// "Failing row contains (...)" may be of any length.
constexpr std::size_t kDetailBytesMax = 400;
/// Each of them costs the server a process and a look at the password: a server is not to be swamped by a
/// start.
constexpr std::size_t kOpenedAtOnceMax = 32;

// Sessions plan their statements while the table is still empty, and keep the plans (prepared statements,
// generic plans): without these, the plan for an empty table, a sequential scan, would stay when it has
// grown.
constexpr std::array<std::pair<const char*, const char*>, 4> kPlannerSettings{{
    {"plan_cache_mode", "force_generic_plan"},
    {"enable_seqscan", "off"},
    {"enable_hashjoin", "off"},
    {"enable_mergejoin", "off"},
}};

/// The backend's start as seconds since 1970: a text that no setting of the session changes.
constexpr const char* kIdentitySql =
    "SELECT pg_backend_pid()::text, (SELECT extract(epoch FROM backend_start)::text FROM pg_stat_activity "
    "WHERE pid = pg_backend_pid())";

std::vector<std::pair<std::string, std::string>> settings_of(const ConnectOptions& options) {
  std::vector<std::pair<std::string, std::string>> settings(kPlannerSettings.begin(), kPlannerSettings.end());
  settings.insert(settings.end(), options.session_settings.begin(), options.session_settings.end());
  return settings;
}

void log_notice(void*, const PGresult* notice) {
  spdlog::debug("postgres: {}", message_of(notice));
}

void check_readable(const std::string& conninfo) {
  // Parsed apart first: PQconnectdbParams quotes a string that it cannot parse, with the password in it.
  char* parse_error = nullptr;
  PQconninfoOption* const parsed = PQconninfoParse(conninfo.c_str(), &parse_error);
  PQfreemem(parse_error);
  if (parsed == nullptr) {
    throw Error(ErrorKind::config,
                "connect to postgres: libpq cannot read the connection string; see its "
                "documentation, \"Connection Strings\"");
  }
  PQconninfoFree(parsed);
}

std::string shortened(std::string text) {
  if (text.size() <= kDetailBytesMax) return text;
  std::size_t end = kDetailBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // within a character
  return text.substr(0, end) + "...";
}

}  // namespace

std::string message_of(const pg_result* result) {
  const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* const detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  const char* const hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  // An error of libpq itself has no fields.
  if (primary == nullptr) return postgres::one_line(PQresultErrorMessage(result));
  std::string said = primary;
  if (detail != nullptr) said += ": " + shortened(detail);
  if (hint != nullptr) said += fmt::format(" ({})", hint);
  return postgres::one_line(said);
}

void PgSession::Finish::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

PgOpener::PgOpener(boost::asio::io_context& loop, ConnectOptions options)
    : options_(std::move(options)), timer_(loop), socket_(loop), lookup_(loop) {}

PgOpener::~PgOpener() {
  drop_attempt();
}

void PgOpener::open(OnOpen on_open) {
  check_readable(options_.conninfo);
  on_open_ = std::move(on_open);
  once_ = true;
  attempt();
}

void PgOpener::reopen(OnOpen on_open) {
  on_open_ = std::move(on_open);
  once_ = false;
  gives_up_at_ = steady_clock::now() + options_.give_up;
  failures_ = 0;
  try_again();
}

void PgOpener::try_again() {
  timer_.expires_after(std::chrono::microseconds(backoff_.wait_us(failures_++)));
  timer_.async_wait([this](const error_code& error) {
    if (!error) attempt();
  });
}

void PgOpener::attempt() {
  timer_.expires_after(kAttemptTimeout);
  timer_.async_wait([this, mine = attempt_](const error_code& error) {
    if (!error && mine == attempt_) {
      attempt_failed(fmt::format("no answer within {} s", kAttemptTimeoutSec));
    }
  });
  lookup_.start(options_.conninfo,
                [this](const postgres::HostAddresses& addresses, const std::string& error) {
                  if (!error.empty()) return attempt_failed(error);
                  connect(addresses);
                });
}

void PgOpener::connect(const postgres::HostAddresses& addresses) {
  opening_.emplace(options_.conninfo, postgres::Connection::Keywords{{"client_encoding", "UTF8"}}, addresses,
                   postgres::Connection::Keywords{{"connect_timeout", kAttemptTimeoutSec}});
  asked_ = false;
  advance();
}

void PgOpener::advance() {
  try {
    auto wants = asked_ ? opening_->receive() : opening_->connect();
    if (!wants && !std::exchange(asked_, true)) {
      ask_settings();
      wants = opening_->receive();
    }
    if (wants) return socket_.wait(opening_->socket(), *wants, [this] { advance(); });
  } catch (const postgres::Refused& refused) {
    return this->refused(refused);
  }
  if (!opening_->has_row()) return attempt_failed("the session's settings were not answered");
  PgSession session{nullptr, {std::string(opening_->field(0)), std::string(opening_->field(1))}};
  socket_.release();
  session.connection.reset(opening_->release());
  drop_attempt();
  const OnOpen on_open = std::exchange(on_open_, nullptr);
  on_open(std::move(session));
}

/// All settings in one statement, and so in one round trip.
void PgOpener::ask_settings() {
  PQsetNoticeReceiver(opening_->libpq(), log_notice, nullptr);
  std::string sql = kIdentitySql;
  std::vector<std::string> values;
  for (const auto& [name, value] : settings_of(options_)) {
    sql += fmt::format(", set_config(${}, ${}, false)", values.size() + 1, values.size() + 2);
    values.push_back(name);
    values.push_back(value);
  }
  opening_->send(sql, values);
}

/// One of the settings that the server took in an earlier session it refuses for a while at most.
void PgOpener::refused(const postgres::Refused& refused) {
  const bool of_settings = asked_ && !refused.sqlstate().empty() && opening_->is_open();
  const std::string said = of_settings ? message_of(opening_->answer()) : refused.what();
  if (!once_ || !of_settings) return attempt_failed(said);
  throw Error(ErrorKind::config,
              fmt::format("make the settings of a writing session: {} (SQLSTATE {}); correct it "
                          "in database.settings",
                          said, refused.sqlstate()));
}

void PgOpener::attempt_failed(const std::string& why) {
  drop_attempt();
  if (once_) throw Error(ErrorKind::unavailable, fmt::format("connect to postgres: {}", why));
  if (steady_clock::now() >= gives_up_at_) {
    throw Error(ErrorKind::unavailable,
                fmt::format("connect to postgres again: gave up after {:.1f} s: {}; database.giveUpSec says "
                            "how long it may be out of reach",
                            std::chrono::duration<double>(options_.give_up).count(), why));
  }
  spdlog::info("connect to postgres again: {}", why);
  try_again();
}

void PgOpener::drop_attempt() {
  ++attempt_;
  lookup_.cancel();
  timer_.cancel();
  socket_.release();
  opening_.reset();
}

std::vector<PgSession> open_together(const ConnectOptions& options, std::size_t count) {
  boost::asio::io_context loop(1);
  std::vector<PgSession> open;
  std::vector<std::unique_ptr<PgOpener>> openers;
  std::size_t begun = 0;
  std::function<void(PgOpener&)> next = [&](PgOpener& opener) {
    if (begun == count) return;
    ++begun;
    opener.open([&](PgSession session) {
      open.push_back(std::move(session));
      next(opener);
    });
  };
  for (std::size_t i = 0; i < std::min(count, kOpenedAtOnceMax); ++i) {
    next(*openers.emplace_back(std::make_unique<PgOpener>(loop, options)));
  }
  loop.run();
  return open;
}

}  // namespace walstorm::producer
