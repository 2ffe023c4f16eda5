#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/process/event_loop.h"
#include "proto/clickhouse/address.h"
#include "proto/clickhouse/http_client.h"

namespace walstorm::clickhouse {

/// For a statement that makes or reads little.
inline constexpr std::chrono::seconds kStepTimeout{60};

/// What a SELECT returned, as text; nullopt is NULL.
using Rows = std::vector<std::vector<std::optional<std::string>>>;

/// Statements to one server, one after another, waited for on the loop: a server that hangs never stops the
/// orchestrator from watching its workers and the keyboard. Lives on the loop.
class Session final {
 public:
  enum class WhenLost {
    fail,
    retry,  ///< for as long as the session may, see its constructor
    wake,   ///< for as long as the server, or what stands before it, says that it is not ready (503): cloud
            ///< services take 20 to 120 s to wake up
  };

  /// `name` says whose session it is, in messages. `give_up`: how long a statement that asks for it is tried
  /// again when the server is out of reach or overloaded.
  Session(process::EventLoop& loop, Address address, std::string name, std::chrono::milliseconds give_up);
  Session(process::EventLoop& loop, Address address, std::string name)
      : Session(loop, std::move(address), std::move(name), std::chrono::milliseconds(0)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() = default;

  /// Carries out `statement`. `what` completes "...: create the database: Code: 497 ...". Throws
  /// Error{unavailable} when the server cannot be reached, does not answer within `timeout`, or may well
  /// answer later; Error{data} for what it refuses for good; process::Interrupted on more than
  /// `interrupts_tolerated` interrupts. With WhenLost::retry the time to give up comes on top of `timeout`.
  void execute(const std::string& what, const Statement& statement, std::chrono::milliseconds timeout,
               int interrupts_tolerated, WhenLost when_lost = WhenLost::fail) {
    (void)run(what, statement, timeout, interrupts_tolerated, when_lost);
  }

  /// The same for a SELECT, whose `sql` names no FORMAT.
  [[nodiscard]] Rows ask(const std::string& what, Statement select, std::chrono::milliseconds timeout,
                         int interrupts_tolerated, WhenLost when_lost = WhenLost::fail);

  /// Starts a SELECT without waiting; `done` follows on the loop, with nullopt for anything but an answer.
  void submit(Statement select, std::function<void(std::optional<Rows>)> done);

  /// From now on every statement has these settings, beside its own: without them a user's profile, or the
  /// URL, may say how answers look.
  void pin(std::map<std::string, std::string> settings) { pinned_ = std::move(settings); }

  [[nodiscard]] const std::string& name() const { return name_; }

  /// Nothing is tried again any more.
  void give_up() { give_up_ = std::chrono::milliseconds(0); }

 private:
  [[nodiscard]] std::string run(const std::string& what, const Statement& statement,
                                std::chrono::milliseconds timeout, int interrupts_tolerated,
                                WhenLost when_lost);
  [[nodiscard]] Answer attempt(const std::string& what, const Statement& statement,
                               std::chrono::milliseconds timeout, int interrupts_tolerated);
  [[nodiscard]] Statement with_pinned(Statement statement) const;
  void connect();
  void pause(std::chrono::microseconds length, int interrupts_tolerated);

  process::EventLoop& loop_;
  const Address address_;
  const std::string name_;
  std::chrono::milliseconds give_up_;
  std::map<std::string, std::string> pinned_;
  std::unique_ptr<HttpClient> client_;
};

/// The rows of a TabSeparated answer (https://clickhouse.com/docs/interfaces/formats, "TabSeparated").
[[nodiscard]] Rows parse_tab_separated(std::string_view text);

/// A name and a text as ClickHouse's SQL has them: `walstorm`, 'it\'s'.
[[nodiscard]] std::string quoted_name(std::string_view name);
[[nodiscard]] std::string quoted_text(std::string_view text);

}  // namespace walstorm::clickhouse
