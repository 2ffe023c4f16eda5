#include <fmt/format.h>

#include "orchestrator/measure/fold/phase_fold.h"

/// What a phase's report says in sentences beside its figures.
namespace walstorm::measure {
namespace {

std::string reconnect_note(const std::string& name, const ProducerFold::Totals& totals) {
  std::string note = fmt::format("{} lost its connection to PostgreSQL {} {}, reconnected within {:.3f} s",
                                 name, totals.reconnects, totals.reconnects == 1 ? "time" : "times",
                                 static_cast<double>(totals.offline_us_max) / 1e6);
  const std::uint64_t settled = totals.settled_committed + totals.settled_rolled_back;
  if (settled == 0) return note;
  return note + fmt::format("; {} without an answer {} looked up: {} committed, {} rolled back",
                            settled == 1 ? "1 commit" : fmt::format("{} commits", settled),
                            settled == 1 ? "was" : "were", totals.settled_committed,
                            totals.settled_rolled_back);
}

}  // namespace

/// The figures are the workers' own and hold; what is looked at once a second has a hole.
std::string PhaseFold::blind_note() const {
  std::string when;
  const std::int64_t start = load_started().value_or(ready_unix_us_.value_or(0));
  for (const Blind& blind : blind_) {
    when += fmt::format("{}{:.0f} s to {:.0f} s", when.empty() ? "" : ", ",
                        std::max(0.0, static_cast<double>(blind.from_unix_us - start) / 1e6),
                        std::max(0.0, static_cast<double>(blind.to_unix_us - start) / 1e6));
  }
  if (blind_count_ > blind_.size()) when += fmt::format(" and {} times more", blind_count_ - blind_.size());
  return fmt::format(
      "the orchestrator stood still for {:.1f} s ({} after the load began): it was stopped, or had no CPU. "
      "Those seconds are missing in timeseries.csv, and nobody looked at the servers or at thresholds in "
      "them; counts and latencies are the workers' own and whole",
      blind_sec_, when);
}

std::vector<std::string> PhaseFold::notes() const {
  std::vector<std::string> notes = server_.notes();
  const auto note = [&notes](const auto& workers) {
    for (const auto& [name, worker] : workers) {
      if (worker.has_result()) continue;
      notes.push_back(fmt::format(
          "{} did not give its final figures for this phase: those of its last Sample are shown", name));
    }
  };
  note(producers_);
  note(consumers_);
  if (blind_count_ > 0) notes.push_back(blind_note());
  for (const auto& [name, consumer] : consumers_) {
    const ConsumerFold::Totals& totals = consumer.totals();
    for (const std::string& outage : totals.outages) notes.push_back(fmt::format("{} {}", name, outage));
    if (totals.before_commit > 0) {
      notes.push_back(fmt::format(
          "{} read {} {} before {} commit, by the wall clocks, at most {:.3g} ms: a clock was set, or the "
          "clocks differ by more than their comparison says; the receive stage counts as 0 there, and lag "
          "without it",
          name, totals.before_commit, totals.before_commit == 1 ? "record" : "records",
          totals.before_commit == 1 ? "its" : "their",
          static_cast<double>(totals.before_commit_us_max) / 1e3));
    }
    if (totals.reconnects > totals.outages.size()) {
      notes.push_back(fmt::format("{} reconnected {} times in all", name, totals.reconnects));
    }
  }
  for (const auto& [name, producer] : producers_) {
    if (producer.totals().reconnects > 0) notes.push_back(reconnect_note(name, producer.totals()));
  }
  return notes;
}

}  // namespace walstorm::measure
