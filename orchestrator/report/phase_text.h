#pragma once

#include <string>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"

/// What a phase showed, in words: shared by the summary, the report and the live view.
namespace walstorm::report {

/// "falling-behind (sink, about 3,010/s): the drain took 12.4 s ...": the state, what it is put down to, and
/// the evidence.
[[nodiscard]] std::string verdict_text(const measure::Verdict& verdict);

/// What to try next, most promising first: the advice, and how long a load would tell where this one did not.
[[nodiscard]] std::vector<std::string> next_steps(const measure::PhaseReport& phase);

/// "17 flushes failed, 17 were tried again"; empty when none did.
[[nodiscard]] std::string flush_errors_text(const measure::ConsumerReport& consumer);

/// "1,200,000 produced = received = acknowledged, checksums match", or what is wrong with it.
[[nodiscard]] std::string ledger_text(const measure::ChangeLedger& ledger);
[[nodiscard]] std::string ledger_text(const measure::RowLedger& ledger);
[[nodiscard]] std::string ledger_text(const measure::ContentLedger& ledger);

}  // namespace walstorm::report
