#include "producer/producer_worker.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "producer/content_check.h"
#include "producer/copy_writer.h"
#include "producer/insert_writer.h"
#include "proto/wire/error.h"

namespace walstorm::producer {
namespace {

using wire::Error;
using wire::ErrorKind;

constexpr std::uint64_t kPayloadBytesMeanMax = 64U << 20;
// All columns but the payload, roughly: for deciding how many rows a statement holds.
constexpr std::size_t kOtherColumnsBytes = 700;

void check_limits(const proto::ProducerSetup& setup) {
  const auto is_share = [](double share) { return share >= 0 && share <= 1; };
  const std::uint64_t slots = std::uint64_t{setup.producer_count()} * setup.connections();
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorKind::config, "producer setup: " + what);
  };
  if (slots == 0 || slots > RowId::kSlotsMax) {
    refuse(fmt::format("{} connections over all producers; must be 1 to {}", slots, RowId::kSlotsMax));
  }
  if (setup.producer_index() >= setup.producer_count()) refuse("producer_index is not below producer_count");
  if (setup.batch_size() == 0) refuse("a batch of 0 records");
  if (!is_share(setup.insert_update_ratio()) || !is_share(setup.delete_ratio()) ||
      !is_share(setup.payload_entropy())) {
    refuse("ratios and entropy must be 0 to 1");
  }
  if (setup.payload_bytes_mean() > kPayloadBytesMeanMax) {
    refuse(fmt::format("payloads of {} bytes on average; at most {}", setup.payload_bytes_mean(),
                       kPayloadBytesMeanMax));
  }
}

PhaseLoad load_of(const proto::StartPhase& phase, std::uint32_t batch_size) {
  PhaseLoad load;
  load.duration_us = static_cast<std::int64_t>(phase.duration_us());
  load.records_max = phase.records_max();
  load.batch_size = batch_size;
  switch (phase.load_case()) {
    case proto::StartPhase::kConstantRate:
      load.target = TargetRate{phase.constant_rate(), phase.constant_rate()};
      return load;
    case proto::StartPhase::kRamp:
      load.target = TargetRate{phase.ramp().from(), phase.ramp().to()};
      return load;
    case proto::StartPhase::kMax:
      return load;
    case proto::StartPhase::LOAD_NOT_SET:
      break;
  }
  throw Error(ErrorKind::protocol, "StartPhase has no load");
}

}  // namespace

ProducerWorker::ProducerWorker(boost::asio::io_context& loop, wire::WorkerSession& session)
    : loop_(loop), session_(session), load_over_(loop) {}

void ProducerWorker::setup(const proto::Setup& setup) {
  if (!setup.has_producer()) throw Error(ErrorKind::protocol, "Setup is not for a producer");
  options_ = setup.producer();
  check_limits(options_);
  source_.emplace(options_.seed(), options_.payload_bytes_mean(), options_.payload_entropy());
  for (std::uint32_t i = 0; i < options_.connections(); ++i) add_loop(i);
}

void ProducerWorker::add_loop(std::uint32_t connection) {
  ConnectOptions connect{options_.postgres(), {}};
  for (const proto::Setting& setting : options_.session_settings()) {
    connect.session_settings.emplace_back(setting.name(), setting.value());
  }
  auto session = std::make_unique<PgConnection>(loop_, connect);
  const std::size_t row_bytes = options_.payload_bytes_mean() + kOtherColumnsBytes;
  std::unique_ptr<RowWriter> writer;
  if (options_.write_mode() == proto::WRITE_MODE_COPY) {
    writer = std::make_unique<CopyWriter>(*session, *source_, row_bytes);
  } else {
    writer = std::make_unique<InsertWriter>(*session, *source_, row_bytes);
  }
  const std::uint32_t slot = options_.producer_index() + connection * options_.producer_count();
  const Mix mix{options_.insert_update_ratio(), options_.delete_ratio()};
  Ledger ledger(options_.seed(), slot, mix, options_.live_rows_max() / options_.connections());
  loops_.push_back(
      std::make_unique<WriteLoop>(loop_, clock_, std::move(session), std::move(writer), std::move(ledger)));
}

void ProducerWorker::start_phase(const proto::StartPhase& phase) {
  if (loops_running_ > 0) throw Error(ErrorKind::protocol, "StartPhase came while a phase was on");
  schedule_.emplace(load_of(phase, options_.batch_size()));
  stats_ = {};
  stopped_us_ = std::nullopt;
  load_finished_ = result_due_ = false;
  started_us_ = clock_.steady_us();
  started_unix_us_ = clock_.unix_us();
  loops_running_ = loops_.size();
  const std::uint32_t slots = options_.producer_count() * options_.connections();
  for (std::uint32_t i = 0; i < loops_.size(); ++i) {
    const std::uint32_t slot = options_.producer_index() + i * options_.producer_count();
    loops_[i]->start(Pacer(*schedule_, slot, slots), started_us_, stats_, [this] {
      --loops_running_;
      check_finished();
    });
  }
  // The rate is records over the whole window: a paced load is not over with the start of its last batch.
  window_open_ = schedule_->paced();
  if (!window_open_) return;
  load_over_.expires_at(
      std::chrono::steady_clock::time_point(std::chrono::microseconds(started_us_ + schedule_->end_us())));
  load_over_.async_wait([this](const boost::system::error_code&) {
    window_open_ = false;
    check_finished();
  });
}

void ProducerWorker::end_phase(const proto::EndPhase&) {
  if (!schedule_) throw Error(ErrorKind::protocol, "EndPhase came before StartPhase");
  stopped_us_ = clock_.steady_us() - started_us_;
  result_due_ = true;
  if (load_finished_) return session_.send_result();
  load_over_.cancel();
  for (const auto& loop : loops_) loop->stop();
}

void ProducerWorker::check_finished() {
  if (loops_running_ > 0 || window_open_ || load_finished_) return;
  load_finished_ = true;
  session_.send_sample();
  if (result_due_) session_.send_result();
}

void ProducerWorker::check_content(const proto::CheckContent& check) {
  if (loops_running_ > 0) throw Error(ErrorKind::protocol, "CheckContent came while a phase was on");
  std::vector<Candidates> groups;
  for (const auto& loop : loops_) {
    groups.push_back(loop->ledger().remembered());
    groups.push_back(loop->ledger().frozen());
  }
  Random random(mix64(options_.seed() + options_.producer_index()));
  const std::vector<RowVersion> sample = pick_sample(std::move(groups), check.rows(), random);
  const ContentReport report = producer::check_content(loops_.front()->connection(), *source_, sample);
  proto::MetricsFrame frame;
  proto::ContentChecked& checked = *frame.mutable_content_checked();
  checked.set_sampled(report.sampled);
  checked.set_matching(report.matching);
  for (const std::string& difference : report.differences) checked.add_differences(difference);
  session_.send(frame);
}

void ProducerWorker::fill(proto::Sample& sample) {
  fill(*sample.mutable_producer());
}

void ProducerWorker::fill(proto::PhaseResult& result) {
  fill(*result.mutable_producer());
}

void ProducerWorker::fill(proto::ProducerStats& stats) const {
  stats_.to_proto(stats);
  const std::int64_t elapsed_us = stopped_us_.value_or(clock_.steady_us() - started_us_);
  std::uint64_t not_started = 0;
  wire::RowTally rows;
  for (const auto& loop : loops_) {
    not_started += loop->records_not_started(elapsed_us);
    rows.merge(loop->ledger().expected());
  }
  stats.set_records_not_started(not_started);
  stats.set_load_finished(load_finished_);
  stats.set_load_started_unix_us(started_unix_us_);
  wire::to_proto(rows, *stats.mutable_rows_expected());
}

}  // namespace walstorm::producer
