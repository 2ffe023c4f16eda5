#include "orchestrator/clickhouse/session.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "proto/wire/backoff.h"
#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

namespace walstorm::clickhouse {
namespace {

using process::Waited;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using wire::Error;
using wire::ErrorKind;

/// Above every timeout that is asked for: those are waited for on the loop.
constexpr std::chrono::hours kAnswerTimeout{1};
/// For a server that wakes up.
constexpr milliseconds kWakeUp{120'000};

/// ClickHouse's numbers (src/Common/ErrorCodes.cpp) for which there is something to say.
constexpr std::array kLoginRefused{192, 193, 194, 516};
constexpr int kReadOnly = 164;
constexpr int kSettingConstraint = 452;
constexpr int kReadOnlySetting = 472;
constexpr int kNotEnoughPrivileges = 497;

std::string todo_for(int code) {
  for (const int refused : kLoginRefused) {
    if (code == refused) return "; look at user and password in clickhouse.url";
  }
  if (code == kNotEnoughPrivileges)
    return "; grant that to the user of clickhouse.url, or name another one there";
  if (code == kSettingConstraint || code == kReadOnlySetting)
    return "; walstorm gives that setting with its look-ups, so that the answer is the same whatever the "
           "user's "
           "profile says: allow the user of clickhouse.url to change it, or name another one";
  if (code == kReadOnly)
    return "; the user of clickhouse.url may only read: name one that may write, or take the setting "
           "readonly "
           "out of its profile or the URL";
  return "";
}

Error error_of(const std::string& what, const Answer& answer) {
  const std::string todo = todo_for(answer.code);
  const bool outside = answer.kind == Answer::Kind::no_answer || worth_a_retry(answer) || !todo.empty();
  // Of an error of ClickHouse's own the code says more.
  const bool by_status = answer.kind == Answer::Kind::refused && answer.code == 0 && answer.http_status != 0;
  const std::string status = by_status ? fmt::format("HTTP status {}: ", answer.http_status) : "";
  return {outside ? ErrorKind::unavailable : ErrorKind::data,
          fmt::format("{}: {}{}{}", what, status, wire::to_utf8(answer.text), todo)};
}

/// What stands for `escaped`, the character behind a backslash.
char unescaped(char escaped) {
  switch (escaped) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    default:
      return escaped;
  }
}

std::optional<std::string> field_of(std::string_view text) {
  if (text == "\\N") return std::nullopt;
  std::string field;
  field.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    field += text[i] == '\\' && i + 1 < text.size() ? unescaped(text[++i]) : text[i];
  }
  return field;
}

/// Cuts `text` off behind the next `end`, and returns what stood before it.
std::string_view take_until(std::string_view& text, char end) {
  const auto at = text.find(end);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') result += '\\';
    result += c;
  }
  return result + quote;
}

}  // namespace

Session::Session(process::EventLoop& loop, Address address, std::string name, milliseconds give_up)
    : loop_(loop), address_(std::move(address)), name_(std::move(name)), give_up_(give_up) {
  connect();
}

Rows Session::ask(const std::string& what, Statement select, milliseconds timeout, int interrupts_tolerated,
                  WhenLost when_lost) {
  select.sql += " FORMAT TabSeparated";
  return parse_tab_separated(run(what, select, timeout, interrupts_tolerated, when_lost));
}

void Session::submit(Statement select, std::function<void(std::optional<Rows>)> done) {
  select.sql += " FORMAT TabSeparated";
  client_->send(with_pinned(std::move(select)), [done = std::move(done)](const Answer& answer) {
    done(answer.ok() ? std::optional(parse_tab_separated(answer.text)) : std::nullopt);
  });
}

std::string Session::run(const std::string& what, const Statement& statement, milliseconds timeout,
                         int interrupts_tolerated, WhenLost when_lost) {
  const std::string full_name = fmt::format("{}: {}", name_, what);
  const auto give_up_at = steady_clock::now() + (when_lost == WhenLost::wake ? kWakeUp : give_up_);
  wire::Backoff backoff(wire::kReconnect, 0);
  for (std::uint64_t failures = 1;; ++failures) {
    Answer answer = attempt(full_name, statement, timeout, interrupts_tolerated);
    if (answer.ok()) return std::move(answer.text);
    const bool asleep = answer.kind == Answer::Kind::refused && answer.code == 0 && worth_a_retry(answer);
    const bool may_pass = when_lost == WhenLost::wake ? asleep : worth_a_retry(answer);
    if (failures == 1 && when_lost == WhenLost::wake && asleep)
      spdlog::warn("{}: HTTP status {}; waiting up to {} s for it to wake up", full_name, answer.http_status,
                   kWakeUp.count() / 1000);
    if (when_lost == WhenLost::fail || !may_pass || steady_clock::now() >= give_up_at)
      throw error_of(full_name, answer);
    pause(std::chrono::microseconds(backoff.wait_us(failures)), interrupts_tolerated);
  }
}

Statement Session::with_pinned(Statement statement) const {
  statement.settings.insert(pinned_.begin(), pinned_.end());
  return statement;
}

Answer Session::attempt(const std::string& what, const Statement& statement, milliseconds timeout,
                        int interrupts_tolerated) {
  auto answer = std::make_shared<std::optional<Answer>>();
  client_->send(with_pinned(statement), [answer](const Answer& arrived) { *answer = arrived; });
  const Waited waited = loop_.wait(timeout, interrupts_tolerated, [answer] { return answer->has_value(); });
  if (waited == Waited::done) return std::move(**answer);
  connect();  // the next statement does not wait for what this one left behind
  if (waited == Waited::interrupted) throw process::Interrupted{};
  throw Error(ErrorKind::unavailable,
              fmt::format("{}: no answer within {} s", what, static_cast<double>(timeout.count()) / 1000));
}

void Session::connect() {
  HttpClient::Limits limits;
  limits.answer_timeout = kAnswerTimeout;
  client_ = std::make_unique<HttpClient>(loop_.io(), address_, limits);
}

void Session::pause(std::chrono::microseconds length, int interrupts_tolerated) {
  boost::asio::steady_timer timer(loop_.io(), length);
  bool over = false;
  timer.async_wait([&over](const boost::system::error_code& error) { over = !error; });
  const Waited waited = loop_.wait(std::chrono::duration_cast<milliseconds>(length) + std::chrono::seconds(1),
                                   interrupts_tolerated, [&over] { return over; });
  timer.cancel();
  loop_.io().poll();  // the handler refers to this frame
  if (waited == Waited::interrupted) throw process::Interrupted{};
}

Rows parse_tab_separated(std::string_view text) {
  Rows rows;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    auto& row = rows.emplace_back();
    const auto columns = 1 + std::count(line.begin(), line.end(), '\t');
    for (auto i = columns; i > 0; --i) row.push_back(field_of(take_until(line, '\t')));
  }
  return rows;
}

std::string quoted_name(std::string_view name) {
  return quoted(name, '`');
}

std::string quoted_text(std::string_view text) {
  return quoted(text, '\'');
}

}  // namespace walstorm::clickhouse
