#include "producer/recovery.h"

#include <array>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <utility>

#include "producer/postgres/statements.h"
#include "proto/postgres/sqlstate.h"
#include "proto/wire/error.h"

namespace walstorm::producer {
namespace {

using wire::Error;
using wire::ErrorKind;

constexpr std::chrono::milliseconds kLookAgain{20};

/// Ends the backend, and tells whether there still was one: a row for it. A session may end others of its own
/// role.
constexpr const char* kSeeOffSql =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid::text = $1 AND ($2 = '' OR "
    "extract(epoch FROM backend_start)::text = $2)";

std::string hash_sql() {
  return fmt::format("SELECT \"row_hash\" FROM \"{}\" WHERE \"id\" = $1", wire::kTaskRunTable);
}

std::uint64_t number_in(std::string_view big_endian) {
  std::uint64_t number = 0;
  for (const char byte : big_endian) number = (number << 8) | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

Recovery::Recovery(boost::asio::io_context& loop, PgConnection& connection, const RowSource& source)
    : connection_(connection), source_(source), timer_(loop) {}

void Recovery::start(const Batch& batch, const Loss& loss, OnRecovered on_recovered) {
  batch_ = &batch;
  commit_sent_ = loss.commit_sent;
  old_ = connection_.id();
  on_recovered_ = std::move(on_recovered);
  open();
}

void Recovery::open() {
  connection_.reopen([this] {
    give_up_at_ = std::chrono::steady_clock::now() + connection_.give_up();
    see_off();
  });
}

void Recovery::see_off() {
  const std::array types{type_oid(wire::ColumnType::text), type_oid(wire::ColumnType::text)};
  const std::array values{old_.pid.c_str(), old_.started.c_str()};
  const std::array lengths{static_cast<int>(old_.pid.size()), static_cast<int>(old_.started.size())};
  const std::array formats{1, 1};
  connection_.query(kSeeOffSql, types, {values, lengths, formats}, [this](const Reply& reply) {
    if (reply.lost) return open();
    if (reply.error) {
      return look_again(&Recovery::see_off,
                        fmt::format("end the session that was lost, process {}", old_.pid), *reply.error);
    }
    if (reply.rows == 0) return decide();
    if (std::chrono::steady_clock::now() >= give_up_at_) {
      throw Error(
          ErrorKind::unavailable,
          fmt::format("end the session that was lost: its process {} is still there after {:.1f} s, so "
                      "what became of its transaction is not known",
                      old_.pid, std::chrono::duration<double>(connection_.give_up()).count()));
    }
    pause_before(&Recovery::see_off);
  });
}

void Recovery::pause_before(void (Recovery::*step)()) {
  timer_.expires_after(kLookAgain);
  timer_.async_wait([this, step](const boost::system::error_code& error) {
    if (!error) (this->*step)();
  });
}

/// A look-up changes nothing: one that was cut is asked again.
void Recovery::look_again(void (Recovery::*step)(), const std::string& what, const SqlError& error) {
  const bool may_pass = postgres::refusal_of(error.sqlstate) == postgres::Refusal::rolled_back;
  if (may_pass && std::chrono::steady_clock::now() < give_up_at_) return pause_before(step);
  throw Error(ErrorKind::unavailable,
              fmt::format("{}: {} (SQLSTATE {})", what, error.message, error.sqlstate));
}

void Recovery::decide() {
  if (!commit_sent_) return std::exchange(on_recovered_, nullptr)(Fate::rolled_back);
  const RowVersion row = !batch_->inserts.empty()   ? batch_->inserts.front()
                         : !batch_->updates.empty() ? batch_->updates.front()
                                                    : batch_->deletes.front();
  row_.clear();
  source_.encode(row, kIdColumn, row_);
  const std::array types{type_oid(wire::ColumnType::text)};
  const std::array values{row_.data(row_.fields().front())};
  const std::array lengths{static_cast<int>(row_.fields().front().length)};
  const std::array formats{1};
  connection_.query(hash_sql(), types, {values, lengths, formats}, [this](const Reply& reply) {
    if (reply.lost) return open();
    if (reply.error) {
      return look_again(&Recovery::decide, "look up a row of a commit without an answer", *reply.error);
    }
    take_verdict(reply);
  });
}

void Recovery::take_verdict(const Reply& reply) {
  std::optional<std::uint64_t> found;
  if (reply.value) found = number_in(*reply.value);
  const auto hash_of = [this](RowVersion row) { return row_hash(source_.seed(), row); };
  std::optional<std::uint64_t> before;
  std::optional<std::uint64_t> after;
  if (!batch_->inserts.empty()) {
    after = hash_of(batch_->inserts.front());
  } else if (!batch_->updates.empty()) {
    const RowVersion row = batch_->updates.front();
    before = hash_of({row.id, row.version - 1});
    after = hash_of(row);
  } else {
    before = hash_of(batch_->deletes.front());
  }
  if (found != before && found != after) {
    throw Error(ErrorKind::data,
                "look up a row of a commit without an answer: it is as neither that transaction nor the one "
                "before left it; something else writes to \"TaskRun\"");
  }
  std::exchange(on_recovered_, nullptr)(found == after ? Fate::committed : Fate::rolled_back);
}

}  // namespace walstorm::producer
