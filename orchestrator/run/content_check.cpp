#include "orchestrator/run/content_check.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "orchestrator/measure/ledger/row_text.h"
#include "orchestrator/run/phase_runner.h"

namespace walstorm::run {
namespace {

using Role = WorkerProcess::Role;

constexpr std::chrono::seconds kContentTimeout{120};
constexpr unsigned kContentRows = 1000;
/// Of rows asked for at once: what ClickHouse answers is text in which a byte may take two, and at most 64
/// MB.
constexpr std::uint64_t kPieceBytes = 8 << 20;
constexpr std::uint64_t kOtherBytes = 4096;  ///< of a row beside its payload, about

void append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

}  // namespace

measure::ContentLedger ContentCheck::check_postgres(Workers& workers, unsigned producers) {
  unsigned rows_left = kContentRows;
  unsigned producers_left = producers;
  for (const auto& worker : workers.all()) {
    if (worker->role() != Role::producer) continue;
    proto::ControlFrame frame;
    frame.mutable_check_content()->set_rows(rows_left / producers_left);
    rows_left -= rows_left / producers_left--;
    worker->send(frame);
  }
  workers.await("check the rows' content", kContentTimeout, kEndNow,
                [&] { return workers.all_in(answered_, Role::producer); });
  return found_;
}

void ContentCheck::take(const std::string& worker, const proto::ContentChecked& found) {
  answered_.insert(worker);
  *found_.sampled += found.sampled();
  *found_.postgres_matches += found.matching();
  append(found_.differences, {found.differences().begin(), found.differences().end()});
  append(sampled_ids_, {found.ids().begin(), found.ids().end()});
}

void ContentCheck::compare_landed(postgres::PreparedDatabase& database, target::Target& target,
                                  std::uint64_t payload_bytes, measure::ContentLedger& ledger) const {
  const std::size_t rows_at_once = std::max<std::size_t>(1, kPieceBytes / (payload_bytes + kOtherBytes));
  std::uint64_t matches = 0;
  for (std::size_t from = 0; from < sampled_ids_.size(); from += rows_at_once) {
    const std::size_t to = std::min(from + rows_at_once, sampled_ids_.size());
    const std::vector<std::string> ids(sampled_ids_.begin() + static_cast<std::ptrdiff_t>(from),
                                       sampled_ids_.begin() + static_cast<std::ptrdiff_t>(to));
    const auto landed = target.read_rows(ids, kEndNow);
    if (!landed) return;
    const measure::RowComparison compared =
        measure::compare_rows(ids, database.read_rows(ids, kEndNow), *landed, target.server_name());
    matches += compared.matching;
    append(ledger.differences, compared.differences);
  }
  ledger.landed_matches = matches;  // known once all were looked at, not before
}

}  // namespace walstorm::run
