#include "orchestrator/run/content_check.h"

#include <chrono>

#include "orchestrator/measure/row_text.h"
#include "orchestrator/run/phase_runner.h"

namespace walstorm::run {
namespace {

using Role = WorkerProcess::Role;

constexpr std::chrono::seconds kContentTimeout{120};
constexpr unsigned kContentRows = 1000;

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

void ContentCheck::compare_landed(postgres::PreparedDatabase& database, clickhouse::PreparedTable& table,
                                  measure::ContentLedger& ledger) const {
  const measure::RowComparison compared =
      measure::compare_rows(sampled_ids_, database.read_rows(sampled_ids_, kEndNow),
                            table.read_rows(sampled_ids_, kEndNow), "ClickHouse");
  ledger.landed_matches = compared.matching;
  append(ledger.differences, compared.differences);
}

}  // namespace walstorm::run
