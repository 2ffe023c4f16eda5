#include "orchestrator/measure/figures/figures.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

namespace walstorm::measure {
namespace {

using config::Told;

constexpr std::string_view kProcesses = "processes.";

template <typename T>
std::optional<double> number(const std::optional<T>& value) {
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}
template <typename T>
std::optional<double> number(const T& value) {
  return static_cast<double>(value);
}

/// The catalogue, section by section.
class Catalogue final {
 public:
  std::vector<Figure> made() && {
    add("durationSec", Better::neither, Told::over_a_window,
        [](const PhaseReport& phase) { return number(phase.duration_sec); });
    add("targetThroughput", Better::neither, Told::over_a_window, [](const PhaseReport& phase) {
      const auto* constant = std::get_if<config::ConstantLoad>(&phase.target);
      return constant != nullptr ? number(constant->rate) : std::nullopt;
    });
    of_producer();
    of_consumer();
    of_ladder();
    of_postgres();
    of_course();
    of_busy();
    of_drain();
    of_ledger();
    of_verdict();
    return std::move(figures_);
  }

 private:
  void add(std::string path, Better better, Told told,
           std::function<std::optional<double>(const PhaseReport&)> value) {
    figures_.push_back({std::move(path), better, told, std::move(value)});
  }

  template <typename Part, typename T>
  void add(std::string path, Part PhaseReport::*part, T Part::*member, Better better, Told told) {
    add(std::move(path), better, told,
        [part, member](const PhaseReport& phase) { return number((phase.*part).*member); });
  }
  /// A count, which is not known without the workers' figures.
  template <typename Part>
  void add(std::string path, Part PhaseReport::*part, std::uint64_t Part::*member, Better better, Told told) {
    add(std::move(path), better, told, [part, member](const PhaseReport& phase) {
      return number((phase.*part).known((phase.*part).*member));
    });
  }

  template <typename Part>
  void distribution(const std::string& path, Part PhaseReport::*part, Distribution Part::*member,
                    Better better) {
    using Percentile = std::optional<double> Distribution::*;
    const auto add_member = [&](const char* name, Percentile figure, Better which) {
      add(path + "." + name, which, Told::over_a_window,
          [part, member, figure](const PhaseReport& phase) { return phase.*part.*member.*figure; });
    };
    add(path + ".count", Better::neither, Told::over_a_window,
        [part, member](const PhaseReport& phase) { return number((phase.*part.*member).count); });
    add_member("min", &Distribution::min, better);
    add_member("mean", &Distribution::mean, better);
    add_member("stddev", &Distribution::stddev, Better::lower);
    add_member("p2_5", &Distribution::p2_5, better);
    add_member("p50", &Distribution::p50, better);
    add_member("p90", &Distribution::p90, better);
    add_member("p95", &Distribution::p95, better);
    add_member("p97_5", &Distribution::p97_5, better);
    add_member("p99", &Distribution::p99, better);
    add_member("p999", &Distribution::p999, better);
    add_member("max", &Distribution::max, better);
  }

  void of_producer() {
    const auto one = [this](const char* name, auto member, Better better, Told told = Told::over_a_window) {
      add(std::string("producer.") + name, &PhaseReport::producer, member, better, told);
    };
    const auto many = [this](const char* name, auto member, Better better) {
      distribution(std::string("producer.") + name, &PhaseReport::producer, member, better);
    };
    one("records", &ProducerReport::records, Better::neither);
    one("inserts", &ProducerReport::inserts, Better::neither);
    one("updates", &ProducerReport::updates, Better::neither);
    one("deletes", &ProducerReport::deletes, Better::neither);
    one("becameInserts", &ProducerReport::became_inserts, Better::neither);
    one("transactions", &ProducerReport::transactions, Better::neither);
    one("bytes", &ProducerReport::bytes, Better::neither);
    one("throughput", &ProducerReport::throughput, Better::higher);
    many("throughputPerSec", &ProducerReport::throughput_per_sec, Better::higher);
    one("targetRatio", &ProducerReport::target_ratio, Better::higher);
    one("notStarted", &ProducerReport::not_started, Better::lower, Told::at_the_end);
    one("errors", &ProducerReport::errors, Better::lower);
    one("recordsFailed", &ProducerReport::records_failed, Better::lower);
    one("errorRate", &ProducerReport::error_rate, Better::lower);
    many("writeLatencyMs", &ProducerReport::write_latency_ms, Better::lower);
    one("censored", &ProducerReport::censored, Better::lower, Told::at_the_end);
    many("serviceTimeMs", &ProducerReport::service_time_ms, Better::lower);
    many("scheduleLagMs", &ProducerReport::schedule_lag_ms, Better::lower);
    one("cpuMicrosPerRecord", &ProducerReport::cpu_micros_per_record, Better::lower);
  }

  void of_consumer() {
    const auto one = [this](const char* name, auto member, Better better, Told told = Told::over_a_window) {
      add(std::string("consumer.") + name, &PhaseReport::consumer, member, better, told);
    };
    const auto many = [this](const char* name, auto member, Better better) {
      distribution(std::string("consumer.") + name, &PhaseReport::consumer, member, better);
    };
    one("records", &ConsumerReport::records, Better::neither);
    one("batches", &ConsumerReport::batches, Better::neither);
    one("bytes", &ConsumerReport::bytes, Better::neither);
    one("encodedBytes", &ConsumerReport::encoded_bytes, Better::lower);
    one("wireBytes", &ConsumerReport::wire_bytes, Better::lower);
    one("recordsPerFlush", &ConsumerReport::records_per_flush, Better::neither);
    one("parts.created", &ConsumerReport::parts_created, Better::lower, Told::so_far);
    one("parts.activeMax", &ConsumerReport::parts_active_max, Better::lower, Told::so_far);
    one("parts.activeEnd", &ConsumerReport::parts_active_end, Better::lower, Told::so_far);
    one("throughput", &ConsumerReport::throughput, Better::higher);
    many("throughputPerSec", &ConsumerReport::throughput_per_sec, Better::higher);
    one("errors", &ConsumerReport::errors, Better::lower);
    one("retries", &ConsumerReport::retries, Better::lower);
    one("errorRate", &ConsumerReport::error_rate, Better::lower);
    many("lagMs", &ConsumerReport::lag_ms, Better::lower);
    one("censored", &ConsumerReport::censored, Better::lower, Told::at_the_end);
    many("receiveMs", &ConsumerReport::receive_ms, Better::lower);
    many("queueMs", &ConsumerReport::queue_ms, Better::lower);
    many("flushMs", &ConsumerReport::flush_ms, Better::lower);
    one("walBehindBytes.max", &ConsumerReport::wal_behind_bytes_max, Better::lower, Told::so_far);
    one("walBehindBytes.end", &ConsumerReport::wal_behind_bytes_end, Better::lower, Told::so_far);
    one("loopUtilization.mean", &ConsumerReport::loop_utilization_mean, Better::lower);
    one("loopUtilization.max", &ConsumerReport::loop_utilization_max, Better::lower, Told::so_far);
    one("bufferedBytesMax", &ConsumerReport::buffered_bytes_max, Better::lower, Told::so_far);
    one("batchBytesMax", &ConsumerReport::batch_bytes_max, Better::lower, Told::so_far);
    one("heapBytesMax", &ConsumerReport::heap_bytes_max, Better::lower, Told::so_far);
    one("cpuMicrosPerRecord", &ConsumerReport::cpu_micros_per_record, Better::lower);
  }

  void of_ladder() {
    using Ends = Range Rung::*;
    using End = std::optional<double> Range::*;
    const auto add_end = [this](const std::string& path, Rung LadderReport::*rung, Ends unit, End end) {
      add(path, Better::lower, Told::so_far,
          [rung, unit, end](const PhaseReport& phase) { return phase.ladder.*rung.*unit.*end; });
    };
    const auto add_rung = [&](const std::string& name, Rung LadderReport::*rung) {
      for (const auto& [unit, member] : {std::pair{".bytes", &Rung::bytes}, std::pair{".sec", &Rung::sec}}) {
        const std::string path = "ladder." + name + unit;
        add_end(path + ".min", rung, member, &Range::min);
        add_end(path + ".max", rung, member, &Range::max);
        add_end(path + ".end", rung, member, &Range::end);
      }
    };
    add_rung("headToSent", &LadderReport::head_to_sent);
    add_rung("sentToReceived", &LadderReport::sent_to_received);
    add_rung("receivedToFlushed", &LadderReport::received_to_flushed);
    add_rung("flushedToConfirmed", &LadderReport::flushed_to_confirmed);
  }

  void of_postgres() {
    const auto one = [this](const char* name, auto member, Better better) {
      add(std::string("postgres.") + name, &PhaseReport::postgres, member, better, Told::so_far);
    };
    one("safeWalBytesMin", &PostgresReport::safe_wal_bytes_min, Better::higher);
    one("spilledTransactions", &PostgresReport::spilled_transactions, Better::lower);
    one("spilledBytes", &PostgresReport::spilled_bytes, Better::lower);
    one("streamedTransactions", &PostgresReport::streamed_transactions, Better::neither);
    one("streamedBytes", &PostgresReport::streamed_bytes, Better::neither);
  }

  /// What a verdict rests on: the lag and the rates that should be better are figures of their own.
  void of_course() {
    const auto one = [this](const char* name, auto member) {
      add(std::string("course.") + name, &PhaseReport::course, member, Better::neither, Told::at_the_end);
    };
    one("lagEarlySec", &PipeCourse::lag_early_sec);
    one("lagFloorSec", &PipeCourse::lag_floor_sec);
    one("lagReturnSec", &PipeCourse::lag_return_sec);
    one("lagBeforeEndSec", &PipeCourse::lag_before_end_sec);
    one("lagEndSec", &PipeCourse::lag_end_sec);
    one("lagCloseSec", &PipeCourse::lag_close_sec);
    one("lagHighSec", &PipeCourse::lag_high_sec);
    one("lagBeforeLastSec", &PipeCourse::lag_before_last_sec);
    one("lagLastSec", &PipeCourse::lag_last_sec);
    one("saturatedFromSec", &PipeCourse::saturated_from_sec);
    one("acknowledgedPerSec", &PipeCourse::acknowledged_per_sec);
    one("producedPerSec", &PipeCourse::produced_per_sec);
    const auto of_standstill = [this](const char* name, double Standstill::*member) {
      add(std::string("course.standstill.") + name, Better::neither, Told::at_the_end,
          [member](const PhaseReport& phase) {
            const auto& still = phase.course.standstill;
            return still ? std::optional(*still.*member) : std::nullopt;
          });
    };
    of_standstill("fromSec", &Standstill::from_sec);
    of_standstill("toSec", &Standstill::to_sec);
    of_standstill("waiting", &Standstill::waiting);
  }

  void of_busy() {
    const auto one = [this](const char* name, auto member) {
      add(std::string("busy.") + name, &PhaseReport::busy, member, Better::lower, Told::at_the_end);
    };
    one("consumerLoop", &BusyReport::consumer_loop);
    one("connections", &BusyReport::connections);
    one("connectionMax", &BusyReport::connection_max);
    one("connectionMin", &BusyReport::connection_min);
    one("flushes", &BusyReport::flushes);
    one("flushesFull", &BusyReport::flushes_full);
    one("cpus", &BusyReport::cpus);
    one("machine", &BusyReport::machine);
  }

  void of_drain() {
    add("drain.durationSec", &PhaseReport::drain, &DrainReport::duration_sec, Better::lower,
        Told::at_the_end);
  }

  void of_ledger() {
    const auto one = [this](const char* name, auto member, Better better) {
      add(std::string("ledger.") + name, &PhaseReport::ledger, member, better, Told::at_the_end);
    };
    one("produced", &ChangeLedger::produced, Better::neither);
    one("received", &ChangeLedger::received, Better::neither);
    one("acknowledged", &ChangeLedger::acknowledged, Better::neither);
    one("missing", &ChangeLedger::missing, Better::lower);
    one("duplicated", &ChangeLedger::duplicated, Better::lower);
    one("replayed", &ChangeLedger::replayed, Better::lower);
    one("inTransit", &ChangeLedger::in_transit, Better::lower);
  }

  void of_verdict() {
    add("verdict.capacityEstimate", &PhaseReport::verdict, &Verdict::capacity_estimate, Better::higher,
        Told::at_the_end);
    add("verdict.windowNeededSec", &PhaseReport::verdict, &Verdict::window_needed_sec, Better::neither,
        Told::at_the_end);
  }

  std::vector<Figure> figures_;
};

std::vector<ProcessFigure> of_processes() {
  std::vector<ProcessFigure> made;
  const auto one = [&made](const char* path, auto member, Told told = Told::so_far) {
    made.push_back({path, Better::lower, told,
                    [member](const ProcessReport& process) { return number(process.*member); }});
  };
  one("cpuUserSec", &ProcessReport::cpu_user_sec);
  one("cpuSystemSec", &ProcessReport::cpu_system_sec);
  one("cpuMicrosPerRecord", &ProcessReport::cpu_micros_per_record);
  one("cpuShare", &ProcessReport::cpu_share, Told::at_the_end);
  one("cpuWaitShare", &ProcessReport::cpu_wait_share, Told::at_the_end);
  one("rssMaxBytes", &ProcessReport::rss_max_bytes);
  one("contextSwitches", &ProcessReport::context_switches);
  return made;
}

}  // namespace

const std::vector<Figure>& figures() {
  static const std::vector<Figure> all = Catalogue().made();
  return all;
}

const std::vector<ProcessFigure>& process_figures() {
  static const std::vector<ProcessFigure> all = of_processes();
  return all;
}

std::optional<double> figure_of(const PhaseReport& phase, const std::string& path) {
  const auto has_path = [](const std::string& wanted) {
    return [&wanted](const auto& figure) { return figure.path == wanted; };
  };
  const auto at = std::find_if(figures().begin(), figures().end(), has_path(path));
  if (at != figures().end()) return at->value(phase);
  for (const ProcessReport& process : phase.processes) {
    const std::string prefix = std::string(kProcesses) + process.role + ".";
    if (!path.starts_with(prefix)) continue;
    const std::string rest = path.substr(prefix.size());
    const auto& of_process = process_figures();
    const auto figure = std::find_if(of_process.begin(), of_process.end(), has_path(rest));
    if (figure != of_process.end()) return figure->value(process);
  }
  return std::nullopt;
}

Better better_of(const std::string& path) {
  for (const Figure& figure : figures()) {
    if (figure.path == path) return figure.better;
  }
  if (!path.starts_with(kProcesses)) return Better::neither;
  const auto role_end = path.find('.', std::string_view(kProcesses).size());
  for (const ProcessFigure& figure : process_figures()) {
    if (role_end != std::string::npos && path.substr(role_end + 1) == figure.path) return figure.better;
  }
  return Better::neither;
}

config::FigureNames figure_names() {
  config::FigureNames names;
  for (const Figure& figure : figures()) names.of_phase.push_back({figure.path, figure.told});
  for (const ProcessFigure& figure : process_figures()) {
    names.of_process.push_back({figure.path, figure.told});
  }
  return names;
}

}  // namespace walstorm::measure
