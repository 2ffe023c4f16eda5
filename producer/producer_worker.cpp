#include "producer/producer_worker.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "producer/content_check.h"
#include "producer/postgres/copy_writer.h"
#include "producer/postgres/statement_writer.h"
#include "proto/postgres/server_clock.h"
#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

namespace walstorm::producer {
namespace {

using wire::Error;
using wire::ErrorKind;

/// For the comparison with PostgreSQL's clock.
constexpr std::chrono::milliseconds kClockTimeout{2000};
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

// A preload's transactions: large enough to vanish among their rows, small enough for everyone's memory.
constexpr std::uint64_t kPreloadRowsPerTransaction = 1000;
constexpr std::uint64_t kPreloadBytesPerTransaction = 4U << 20;

StatementForm form_of(proto::WriteMode mode) {
  switch (mode) {
    case proto::WRITE_MODE_UNNEST:
      return StatementForm::unnest;
    case proto::WRITE_MODE_PREPARED:
      return StatementForm::row_by_row;
    default:
      return StatementForm::values;
  }
}

/// Of the phase's arrivals: the run's seed and the phase together.
std::uint64_t arrivals_seed(std::uint64_t seed, std::uint32_t phase_index) {
  return mix64(mix64(seed + kGolden) ^ ((std::uint64_t{phase_index} + 1) * kGolden));
}

}  // namespace

ProducerWorker::ProducerWorker(boost::asio::io_context& loop, wire::WorkerSession& session)
    : loop_(loop), session_(session), clock_(session.clock()), shared_(loop, clock_), load_over_(loop) {}

void ProducerWorker::setup(const proto::Setup& setup) {
  if (!setup.has_producer()) throw Error(ErrorKind::protocol, "Setup is not for a producer");
  options_ = setup.producer();
  check_limits(options_);
  source_.emplace(options_.seed(), options_.payload_bytes_mean(), options_.payload_entropy());
  ConnectOptions connect{options_.postgres(), {}, std::chrono::milliseconds(options_.give_up_ms())};
  for (const proto::Setting& setting : options_.session_settings()) {
    connect.session_settings.emplace_back(setting.name(), setting.value());
  }
  std::vector<PgSession> sessions = open_together(connect, options_.connections());
  for (std::uint32_t i = 0; i < options_.connections(); ++i) add_lane(i, connect, std::move(sessions[i]));
}

void ProducerWorker::add_lane(std::uint32_t connection, const ConnectOptions& connect, PgSession session) {
  Lane lane;
  lane.slot = options_.producer_index() + connection * options_.producer_count();
  lane.connection = std::make_unique<PgConnection>(loop_, connect, std::move(session));
  lane.writer = make_writer(*lane.connection, options_.write_mode());
  lane.preload_writer = std::make_unique<CopyWriter>(*lane.connection, *source_, row_bytes_mean(),
                                                     CopyWriter::TimeLimits::lifted);
  lane.recovery = std::make_unique<Recovery>(loop_, *lane.connection, *source_);
  const Mix mix{options_.insert_update_ratio(), options_.delete_ratio()};
  Ledger ledger(options_.seed(), lane.slot, mix, options_.live_rows_max() / options_.connections());
  lane.loop = std::make_unique<WriteLoop>(
      loop_, clock_, std::move(ledger),
      [recovery = lane.recovery.get()](const Batch& batch, const Loss& loss, Recovery::OnRecovered done) {
        recovery->start(batch, loss, std::move(done));
      });
  lane.due = std::make_unique<DueBatches>(loop_, clock_);
  lanes_.push_back(std::move(lane));
}

std::unique_ptr<RowWriter> ProducerWorker::make_writer(PgConnection& connection,
                                                       proto::WriteMode mode) const {
  if (mode == proto::WRITE_MODE_COPY) {
    return std::make_unique<CopyWriter>(connection, *source_, row_bytes_mean(), CopyWriter::TimeLimits::kept);
  }
  return std::make_unique<StatementWriter>(connection, *source_, row_bytes_mean(), form_of(mode));
}

std::size_t ProducerWorker::row_bytes_mean() const {
  return options_.payload_bytes_mean() + kOtherColumnsBytes;
}

/// The same in every producer, and so that every connection comes to own as many rows.
std::uint32_t ProducerWorker::preload_batch_size(std::uint64_t rows) const {
  const std::uint64_t most = std::clamp<std::uint64_t>(kPreloadBytesPerTransaction / row_bytes_mean(), 1,
                                                       kPreloadRowsPerTransaction);
  const std::uint64_t slots = std::uint64_t{options_.producer_count()} * options_.connections();
  const auto quotient_up = [](std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; };
  const std::uint64_t batches_each = quotient_up(rows, slots * most);
  return static_cast<std::uint32_t>(quotient_up(rows, slots * std::max<std::uint64_t>(1, batches_each)));
}

PhaseLoad ProducerWorker::load_of(const proto::StartPhase& phase) const {
  if (phase.preload() && phase.records_max() == 0) throw Error(ErrorKind::protocol, "a preload of 0 rows");
  PhaseLoad load;
  load.duration_us = static_cast<std::int64_t>(phase.duration_us());
  load.records_max = phase.records_max();
  load.batch_size = options_.batch_size();
  if (phase.preload()) load.batch_size = preload_batch_size(phase.records_max());
  if (phase.arrival() == proto::ARRIVAL_POISSON) {
    load.poisson_seed = arrivals_seed(options_.seed(), phase.phase_index());
  }
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

void ProducerWorker::start_phase(const proto::StartPhase& phase) {
  if (loops_running_ > 0) throw Error(ErrorKind::protocol, "StartPhase came while a phase was on");
  schedule_.emplace(load_of(phase));
  stats_ = {};
  stopped_us_ = std::nullopt;
  load_finished_ = result_due_ = false;
  started_us_ = clock_.steady_us();
  started_unix_us_ = clock_.unix_us();
  start_lanes(phase);
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

/// A batch that only inserts is the same whoever writes it. One that changes rows is its own connection's,
/// which alone knows them and whose order of transactions they depend on.
bool ProducerWorker::any_may_write() const {
  return lanes_.front().loop->ledger().only_inserts();
}

void ProducerWorker::start_lanes(const proto::StartPhase& phase) {
  loops_running_ = lanes_.size();
  const std::uint32_t producers = options_.producer_count();
  WriteLoop::LedgerOf ledger_of;
  if (any_may_write()) {
    shared_.start(Pacer(*schedule_, options_.producer_index(), producers), started_us_);
    ledger_of = [this, producers](std::uint64_t batch) -> Ledger& {
      return lanes_[batch / producers % lanes_.size()].loop->ledger();
    };
  }
  const auto content = phase.preload() ? WriteLoop::Content::new_rows : WriteLoop::Content::mixed;
  for (const Lane& lane : lanes_) {
    const auto slots = producers * static_cast<std::uint32_t>(lanes_.size());
    if (!any_may_write()) lane.due->start(Pacer(*schedule_, lane.slot, slots), started_us_);
    lane.loop->start(
        any_may_write() ? shared_ : *lane.due, phase.preload() ? *lane.preload_writer : *lane.writer, content,
        stats_,
        [this] {
          --loops_running_;
          check_finished();
        },
        ledger_of);
  }
}

void ProducerWorker::end_phase(const proto::EndPhase&) {
  if (!schedule_) throw Error(ErrorKind::protocol, "EndPhase came before StartPhase");
  stopped_us_ = clock_.steady_us() - started_us_;
  result_due_ = true;
  if (load_finished_) return session_.send_result();
  load_over_.cancel();
  shared_.stop();
  for (const Lane& lane : lanes_) {
    lane.due->stop();
    lane.loop->stop();
  }
}

void ProducerWorker::check_finished() {
  if (loops_running_ > 0 || window_open_ || load_finished_) return;
  load_finished_ = true;
  session_.send_sample();
  if (result_due_) session_.send_result();
}

void ProducerWorker::check_content(const proto::CheckContent& check) {
  if (loops_running_ > 0) throw Error(ErrorKind::protocol, "CheckContent came while a phase was on");
  when_connected([this, rows = check.rows()] { check_rows(rows); });
}

/// The check blocks, so a session that was lost since the last phase is opened again before. No load follows
/// it: the limits of the role's are lifted for good.
void ProducerWorker::when_connected(const std::function<void()>& then) {
  PgConnection& connection = *lanes_.front().connection;
  connection.lift_time_limits([this, &connection, then](const Reply& reply) {
    if (reply.lost) return connection.reopen([this, then] { when_connected(then); });
    if (reply.error) {
      throw Error(ErrorKind::data, fmt::format("prepare to read rows back: {} (SQLSTATE {})",
                                               reply.error->message, reply.error->sqlstate));
    }
    then();
  });
}

void ProducerWorker::check_rows(std::uint64_t rows) {
  std::vector<Candidates> groups;
  for (const Lane& lane : lanes_) {
    groups.push_back(lane.loop->ledger().remembered());
    groups.push_back(lane.loop->ledger().frozen());
  }
  Random random(mix64(options_.seed() + options_.producer_index()));
  const std::vector<RowVersion> sample = pick_sample(std::move(groups), rows, random);
  ContentReport report =
      producer::check_content(*lanes_.front().connection, *source_, sample, row_bytes_mean());
  proto::MetricsFrame frame;
  proto::ContentChecked& checked = *frame.mutable_content_checked();
  checked.set_sampled(report.sampled);
  for (const std::string& id : report.ids) checked.add_ids(wire::to_utf8(id));
  checked.set_matching(report.matching);
  for (const std::string& difference : report.differences) checked.add_differences(wire::to_utf8(difference));
  session_.send(frame);
}

std::optional<wire::ClockOffset> ProducerWorker::compare_clocks() {
  return postgres::compare_clocks(options_.postgres(), wire::SystemClock(), kClockTimeout);
}

void ProducerWorker::fill(proto::Sample& sample) {
  proto::ProducerStats& stats = *sample.mutable_producer();
  fill(stats);
  // Ages of what waits, told once a second: to be exact is for the result.
  wire::Histogram::from_proto(stats.not_started_us()).coarser().to_proto(*stats.mutable_not_started_us());
  wire::Histogram::from_proto(stats.pending_us()).coarser().to_proto(*stats.mutable_pending_us());
}

void ProducerWorker::fill(proto::PhaseResult& result) {
  fill(*result.mutable_producer());
}

void ProducerWorker::fill(proto::ProducerStats& stats) {
  stats_.to_proto(stats);
  const std::int64_t elapsed_us = stopped_us_.value_or(clock_.steady_us() - started_us_);
  // Of those two kinds only one is ever started: any_may_write() does not change.
  std::uint64_t not_started = shared_.records_not_started(elapsed_us);
  wire::Histogram not_started_us = shared_.ages_not_started(elapsed_us);
  wire::RowTally rows;
  wire::Histogram pending_us = stats_.failed_us;
  for (const Lane& lane : lanes_) {
    not_started += lane.due->records_not_started(elapsed_us);
    not_started_us.merge(lane.due->ages_not_started(elapsed_us));
    rows.merge(lane.loop->ledger().expected());
    stats.add_connection_busy_us(static_cast<std::uint64_t>(lane.loop->busy_us()));
    const auto under_way_us = lane.loop->under_way_us();
    if (under_way_us && schedule_ && schedule_->paced()) pending_us.record(*under_way_us);
  }
  stats.set_records_not_started(not_started);
  not_started_us.to_proto(*stats.mutable_not_started_us());
  pending_us.to_proto(*stats.mutable_pending_us());
  stats.set_load_finished(load_finished_);
  stats.set_load_started_unix_us(started_unix_us_);
  wire::to_proto(rows, *stats.mutable_rows_expected());
}

}  // namespace walstorm::producer
