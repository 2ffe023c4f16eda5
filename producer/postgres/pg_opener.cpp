#include "producer/postgres/pg_opener.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <libpq-fe.h>

#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

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

using Result = std::unique_ptr<PGresult, void (*)(PGresult*)>;

/// Of a result of kIdentitySql, which may have further columns.
SessionId identity_in(const PGresult* result) {
  return {PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1)};
}

bool has_row(const PGresult* result) {
  return PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
}

/// What stands before dbname is a default, what stands after it wins over the connection string.
struct ConnectParameters {
  explicit ConnectParameters(const ConnectOptions& options, const postgres::HostAddresses& addresses = {})
      : values{kAttemptTimeoutSec, options.conninfo.c_str(), "UTF8"} {
    addresses.append_to(keywords, values);
    keywords.push_back(nullptr);
    values.push_back(nullptr);
  }

  std::vector<const char*> keywords{"connect_timeout", "dbname", "client_encoding"};
  std::vector<const char*> values;
};

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

std::string one_line(std::string_view message) {
  std::string line;
  for (const char c : message) {
    const bool is_space = c == '\n' || c == '\t' || c == ' ';
    if (!is_space) {
      line += c;
    } else if (!line.ends_with(' ')) {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  return wire::to_utf8(line);  // before the client encoding is agreed on, the server speaks its own
}

std::string message_of(const pg_result* result) {
  const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* const detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  const char* const hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  // An error of libpq itself has no fields.
  if (primary == nullptr) return one_line(PQresultErrorMessage(result));
  std::string said = primary;
  if (detail != nullptr) said += ": " + shortened(detail);
  if (hint != nullptr) said += fmt::format(" ({})", hint);
  return one_line(said);
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
  ++attempt_;
  opening_.emplace();
  timer_.expires_after(kAttemptTimeout);
  timer_.async_wait([this, mine = attempt_](const error_code& error) {
    if (!error && mine == attempt_ && opening_) {
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
  const ConnectParameters parameters(options_, addresses);
  opening_->connection.reset(
      PQconnectStartParams(parameters.keywords.data(), parameters.values.data(), /*expand_dbname=*/1));
  if (PQstatus(opening_->connection.get()) == CONNECTION_BAD) {
    return attempt_failed(one_line(PQerrorMessage(opening_->connection.get())));
  }
  // libpq's documentation of PQconnectStart: begin as if PQconnectPoll had asked to write.
  wait(boost::asio::posix::stream_descriptor::wait_write, &PgOpener::poll);
}

void PgOpener::poll() {
  PGconn* const connection = opening_->connection.get();
  switch (PQconnectPoll(connection)) {
    case PGRES_POLLING_READING:
      return wait(boost::asio::posix::stream_descriptor::wait_read, &PgOpener::poll);
    case PGRES_POLLING_WRITING:
      return wait(boost::asio::posix::stream_descriptor::wait_write, &PgOpener::poll);
    case PGRES_POLLING_OK:
      return ask_settings();
    default:
      return attempt_failed(one_line(PQerrorMessage(connection)));
  }
}

/// All settings in one statement, and so in one round trip.
void PgOpener::ask_settings() {
  PGconn* const connection = opening_->connection.get();
  PQsetNoticeReceiver(connection, log_notice, nullptr);
  const auto settings = settings_of(options_);
  std::string sql = kIdentitySql;
  std::vector<const char*> values;
  for (const auto& [name, value] : settings) {
    sql += fmt::format(", set_config(${}, ${}, false)", values.size() + 1, values.size() + 2);
    values.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  if (PQsetnonblocking(connection, 1) != 0 ||
      PQsendQueryParams(connection, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                        nullptr, nullptr, 0) != 1) {
    return attempt_failed(one_line(PQerrorMessage(connection)));
  }
  // A statement as short as this one fits a new socket's buffer: all of it is sent, or the socket is broken.
  if (PQflush(connection) != 0) return attempt_failed(one_line(PQerrorMessage(connection)));
  wait(boost::asio::posix::stream_descriptor::wait_read, &PgOpener::read_settings);
}

void PgOpener::read_settings() {
  PGconn* const connection = opening_->connection.get();
  if (PQconsumeInput(connection) == 0) return attempt_failed(one_line(PQerrorMessage(connection)));
  while (PQisBusy(connection) == 0) {
    const Result result(PQgetResult(connection), PQclear);
    if (!result) {
      // The answer's end: what it said is known by now.
      if (opening_->id.pid.empty()) return attempt_failed("the session's settings were not answered");
      PgSession session = std::move(*opening_);
      drop_attempt();
      const OnOpen on_open = std::exchange(on_open_, nullptr);
      return on_open(std::move(session));
    }
    if (!has_row(result.get())) return refused(result.get());
    opening_->id = identity_in(result.get());
  }
  wait(boost::asio::posix::stream_descriptor::wait_read, &PgOpener::read_settings);
}

/// libpq may have another socket at each step, also one of the same number: it is lent anew each time.
void PgOpener::wait(boost::asio::posix::stream_descriptor::wait_type what, void (PgOpener::*then)()) {
  socket_.assign(PQsocket(opening_->connection.get()));
  socket_.async_wait(what, [this, then, mine = attempt_](const error_code& error) {
    if (error || mine != attempt_ || !opening_) return;
    socket_.release();
    (this->*then)();
  });
}

/// The server's answer to the settings. One that it took in an earlier session it refuses for a while at
/// most.
void PgOpener::refused(const pg_result* result) {
  const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (!once_ || sqlstate == nullptr || PQstatus(opening_->connection.get()) != CONNECTION_OK) {
    return attempt_failed(message_of(result));
  }
  throw Error(ErrorKind::config,
              fmt::format("make the settings of a writing session: {} (SQLSTATE {}); correct it "
                          "in database.settings",
                          message_of(result), sqlstate));
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
  lookup_.cancel();
  timer_.cancel();
  if (socket_.is_open()) socket_.release();
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
