#pragma once

#include <string>
#include <vector>

#include "orchestrator/measure/ledger/row_text.h"
#include "orchestrator/postgres/session.h"

namespace walstorm::postgres {

/// The rows of "TaskRun" with these ids, as text; those that are not there are left out.
[[nodiscard]] measure::RowTexts read_row_texts(pqxx::connection& connection,
                                               const std::vector<std::string>& ids);

}  // namespace walstorm::postgres
