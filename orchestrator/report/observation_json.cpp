#include "orchestrator/report/observation_json.h"

#include <cmath>
#include <cstdint>
#include <optional>

#include "orchestrator/text/or_null.h"

namespace walstorm::report {
namespace {

using Json = nlohmann::ordered_json;

/// Bytes are whole, whatever they were reckoned with.
Json whole_or_null(const std::optional<double>& value) {
  return value ? Json(std::llround(*value)) : Json(nullptr);
}

Json shares_json(const std::map<std::string, double>& shares) {
  Json object = Json::object();
  for (const auto& [name, share] : shares) object[name] = text::or_null(share);
  return object;
}

Json to_json(const measure::Rung& rung) {
  return {{"bytes",
           {{"min", whole_or_null(rung.bytes.min)},
            {"max", whole_or_null(rung.bytes.max)},
            {"end", whole_or_null(rung.bytes.end)}}},
          {"sec",
           {{"min", text::or_null(rung.sec.min)},
            {"max", text::or_null(rung.sec.max)},
            {"end", text::or_null(rung.sec.end)}}}};
}

}  // namespace

nlohmann::ordered_json ladder_json(const measure::LadderReport& ladder) {
  return {{"headToSent", to_json(ladder.head_to_sent)},
          {"sentToReceived", to_json(ladder.sent_to_received)},
          {"receivedToFlushed", to_json(ladder.received_to_flushed)},
          {"flushedToConfirmed", to_json(ladder.flushed_to_confirmed)}};
}

nlohmann::ordered_json postgres_json(const measure::PostgresReport& postgres) {
  return {{"walStatus", text::or_null(postgres.wal_status)},
          {"safeWalBytesMin", text::or_null(postgres.safe_wal_bytes_min)},
          {"spilledTransactions", text::or_null(postgres.spilled_transactions)},
          {"spilledBytes", text::or_null(postgres.spilled_bytes)},
          {"streamedTransactions", text::or_null(postgres.streamed_transactions)},
          {"streamedBytes", text::or_null(postgres.streamed_bytes)},
          {"walsenderStates", shares_json(postgres.walsender_states)},
          {"walsenderWaits", shares_json(postgres.walsender_waits)},
          {"writerWaits", shares_json(postgres.writer_waits)}};
}

nlohmann::ordered_json course_json(const measure::PipeCourse& course) {
  Json standstill{{"fromSec", nullptr}, {"toSec", nullptr}, {"toTheEnd", nullptr}, {"waiting", nullptr}};
  if (const auto& still = course.standstill) {
    standstill = {{"fromSec", text::or_null(still->from_sec)},
                  {"toSec", text::or_null(still->to_sec)},
                  {"toTheEnd", still->to_the_end},
                  {"waiting", text::or_null(still->waiting)}};
  }
  return {{"lagEarlySec", text::or_null(course.lag_early_sec)},
          {"lagFloorSec", text::or_null(course.lag_floor_sec)},
          {"lagReturnSec", text::or_null(course.lag_return_sec)},
          {"lagBeforeEndSec", text::or_null(course.lag_before_end_sec)},
          {"lagEndSec", text::or_null(course.lag_end_sec)},
          {"lagCloseSec", text::or_null(course.lag_close_sec)},
          {"lagHighSec", text::or_null(course.lag_high_sec)},
          {"lagBeforeLastSec", text::or_null(course.lag_before_last_sec)},
          {"lagLastSec", text::or_null(course.lag_last_sec)},
          {"saturatedFromSec", text::or_null(course.saturated_from_sec)},
          {"acknowledgedPerSec", text::or_null(course.acknowledged_per_sec)},
          {"producedPerSec", text::or_null(course.produced_per_sec)},
          {"standstill", standstill}};
}

nlohmann::ordered_json busy_json(const measure::BusyReport& busy) {
  return {{"consumerLoop", text::or_null(busy.consumer_loop)},
          {"connections", text::or_null(busy.connections)},
          {"connectionMax", text::or_null(busy.connection_max)},
          {"connectionMin", text::or_null(busy.connection_min)},
          {"flushes", text::or_null(busy.flushes)},
          {"flushesFull", text::or_null(busy.flushes_full)},
          {"cpus", text::or_null(busy.cpus)},
          {"machine", text::or_null(busy.machine)}};
}

nlohmann::ordered_json clocks_json(const std::vector<measure::ClockReport>& clocks) {
  Json list = Json::array();
  for (const measure::ClockReport& clock : clocks) {
    list.push_back(Json{{"role", clock.role},
                        {"aheadMs", text::or_null(static_cast<double>(clock.ahead_us) / 1000)},
                        {"errorMs", text::or_null(static_cast<double>(clock.error_us) / 1000)}});
  }
  return list;
}

}  // namespace walstorm::report
