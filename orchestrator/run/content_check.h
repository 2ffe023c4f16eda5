#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/postgres/prepared_database.h"
#include "orchestrator/run/workers.h"
#include "orchestrator/target/target.h"
#include "proto/metrics.pb.h"

namespace walstorm::run {

/// A sample of the run's rows, compared column by column (DESIGN §5): a hash that travels along does not
/// prove its row.
class ContentCheck final {
 public:
  /// Has the producers, who own the row source, regenerate rows and compare them with PostgreSQL; waits for
  /// their answers. Throws what Workers::await does; then nothing was measured.
  [[nodiscard]] measure::ContentLedger check_postgres(Workers& workers, unsigned producers);

  /// An answer, which comes while check_postgres waits.
  void take(const std::string& worker, const proto::ContentChecked& found);

  /// The same rows in the target, as PostgreSQL has them, into `ledger`: some at a time, of `payload_bytes`
  /// on average, so that no answer is larger than walstorm takes and two of them fit into memory.
  void compare_landed(postgres::PreparedDatabase& database, target::Target& target,
                      std::uint64_t payload_bytes, measure::ContentLedger& ledger) const;

 private:
  measure::ContentLedger found_{0, 0, {}, {}};  // added up from the answers
  std::vector<std::string> sampled_ids_;
  std::set<std::string> answered_;  // by name
};

}  // namespace walstorm::run
