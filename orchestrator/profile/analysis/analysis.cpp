#include "orchestrator/profile/analysis/analysis.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace walstorm::profile {
namespace {

struct Tally {
  std::uint64_t samples = 0, ns = 0;

  void add(const Stack& stack) {
    samples += stack.samples;
    ns += stack.ns;
  }
};

/// What is counted of one target before shares are known.
class TargetTally final {
 public:
  TargetTally(const Profile& profile, const Modules& modules) : profile_(profile), modules_(modules) {}

  void take(const Stack& stack) {
    const Modules::Place place = modules_.place(profile_, stack);
    if (stack.kind == Kind::off_cpu) {
      off_cpu_.add(stack);
      if (place.waits) waits_[*place.waits].add(stack);
      if (place.own) own_off_cpu_[*place.own].add(stack);
      return;
    }
    on_cpu_.add(stack);
    timed_ = timed_ && stack.ns > 0;
    if (stack.broken) {
      broken_ += stack.samples;
      broken_in_[lost_in(stack)] += stack.samples;
    }
    self_modules_[place.self].add(stack);
    if (place.own) own_[*place.own].add(stack);
    if (stack.frames.empty()) return;
    Function& innermost = functions_[stack.frames.back()];
    innermost.module = place.self;
    innermost.self.add(stack);
    for (const std::uint32_t number : std::set<std::uint32_t>(stack.frames.begin(), stack.frames.end()))
      functions_[number].total.add(stack);
  }

  [[nodiscard]] TargetAnalysis result(std::string target, std::size_t functions_max) const {
    TargetAnalysis result;
    result.target = std::move(target);
    result.samples = on_cpu_.samples;
    if (timed_ && on_cpu_.ns > 0) result.cpu_ns = on_cpu_.ns;
    if (profile_.has(Kind::off_cpu)) result.off_cpu_ns = off_cpu_.ns;
    if (result.cpu_ns && result.off_cpu_ns) result.wall_per_cpu = wall_per_cpu(on_cpu_, off_cpu_);
    result.broken_samples = broken_;
    if (on_cpu_.samples > 0) result.broken_share = of_samples(broken_);
    for (const auto& [object, samples] : broken_in_)
      result.broken_in.push_back({object, samples, of_samples(samples)});
    std::stable_sort(result.broken_in.begin(), result.broken_in.end(),
                     [](const auto& a, const auto& b) { return a.samples > b.samples; });
    result.functions = function_rows(functions_max);
    result.modules = module_rows();
    result.waits = wait_rows();
    return result;
  }

 private:
  struct Function {
    std::size_t module = 0;
    Tally self, total;
  };

  /// What of a broken stack is known last, going out from where it is: beyond that the callers are missing.
  /// What is not code ("[heap]", "[stack]") was taken for a caller by mistake.
  [[nodiscard]] std::string lost_in(const Stack& stack) const {
    for (const std::uint32_t number : stack.frames) {
      const Frame& frame = profile_.frames()[number];
      if (frame.kernel || (!frame.object.empty() && !frame.object.starts_with('['))) return frame.object;
    }
    return {};
  }
  [[nodiscard]] double of_samples(std::uint64_t samples) const {
    return static_cast<double>(samples) / static_cast<double>(on_cpu_.samples);
  }
  [[nodiscard]] std::uint64_t weight(const Tally& tally) const { return timed_ ? tally.ns : tally.samples; }
  [[nodiscard]] double share(const Tally& part) const {
    const std::uint64_t all = weight(on_cpu_);
    return all == 0 ? 0 : static_cast<double>(weight(part)) / static_cast<double>(all);
  }
  [[nodiscard]] static double wall_per_cpu(const Tally& on, const Tally& off) {
    return static_cast<double>(on.ns + off.ns) / static_cast<double>(on.ns);
  }
  [[nodiscard]] static const Tally& of(const std::map<std::size_t, Tally>& tallies, std::size_t module) {
    static const Tally kNone;
    const auto found = tallies.find(module);
    return found == tallies.end() ? kNone : found->second;
  }

  [[nodiscard]] std::vector<FunctionRow> function_rows(std::size_t rows_max) const {
    // The kernel's inlined copies and a library's local functions share a name: one row each.
    std::map<std::pair<std::string, std::string>, Function> merged;
    for (const auto& [number, function] : functions_) {
      const Frame& frame = profile_.frames()[number];
      Function& into = merged[{frame.function, frame.object}];
      if (function.self.samples + function.self.ns > 0) into.module = function.module;
      into.self.samples += function.self.samples, into.self.ns += function.self.ns;
      into.total.samples += function.total.samples, into.total.ns += function.total.ns;
    }
    std::vector<FunctionRow> rows;
    for (const auto& [name, function] : merged) {
      if (function.self.samples + function.self.ns == 0) continue;
      rows.push_back({name.first, name.second, modules_.all()[function.module].name, function.self.samples,
                      timed_ ? function.self.ns : 0, share(function.self), share(function.total)});
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.share > b.share; });
    if (rows.size() > rows_max) rows.resize(rows_max);
    return rows;
  }

  [[nodiscard]] std::vector<ModuleRow> module_rows() const {
    std::vector<ModuleRow> rows;
    for (std::size_t i = 0; i < modules_.all().size(); ++i) {
      const Module& module = modules_.all()[i];
      const Tally& self = of(self_modules_, i);
      const Tally& own = of(own_, i);
      if (self.samples + self.ns + own.samples + own.ns == 0) continue;
      ModuleRow row{module.name, self.samples, timed_ ? self.ns : 0, share(self)};
      if (module.layer == Layer::own) {
        row.samples_with_callees = own.samples;
        row.share_with_callees = share(own);
        if (timed_ && own.ns > 0 && profile_.has(Kind::off_cpu))
          row.wall_per_cpu = wall_per_cpu(own, of(own_off_cpu_, i));
      }
      rows.push_back(std::move(row));
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.share > b.share; });
    return rows;
  }

  [[nodiscard]] std::vector<WaitRow> wait_rows() const {
    std::vector<WaitRow> rows;
    const auto wall_ns = static_cast<double>(on_cpu_.ns + off_cpu_.ns);
    for (const auto& [module, tally] : waits_) {
      rows.push_back({modules_.all()[module].name, tally.samples, tally.ns,
                      wall_ns > 0 ? static_cast<double>(tally.ns) / wall_ns : 0});
    }
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.ns > b.ns; });
    return rows;
  }

  const Profile& profile_;
  const Modules& modules_;
  Tally on_cpu_, off_cpu_;
  bool timed_ = true;  // every on-CPU stack weighs a time
  std::uint64_t broken_ = 0;
  std::map<std::string, std::uint64_t> broken_in_;  // by object
  std::map<std::uint32_t, Function> functions_;
  std::map<std::size_t, Tally> self_modules_, own_, own_off_cpu_, waits_;
};

}  // namespace

std::vector<TargetAnalysis> analyse(const Profile& profile, const Modules& modules, std::size_t functions_max,
                                    const Limits& limits) {
  std::vector<TargetAnalysis> results;
  for (const std::string& target : profile.targets()) {
    TargetTally tally(profile, modules);
    for (const Stack& stack : profile.stacks()) {
      if (stack.target == target) tally.take(stack);
    }
    results.push_back(tally.result(target, functions_max));
    results.back().conclusion = conclude(results.back(), modules, limits);
  }
  return results;
}

}  // namespace walstorm::profile
