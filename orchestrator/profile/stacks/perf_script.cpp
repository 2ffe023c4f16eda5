#include "orchestrator/profile/stacks/perf_script.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

namespace walstorm::profile {
namespace {

/// Of a target's CPU time: a thread that took less of it is idle.
constexpr double kIdleShareMax = 0.05;
constexpr std::string_view kSwitch = "PERF_RECORD_SWITCH";
constexpr std::string_view kSchedSwitch = "sched:sched_switch";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/// The word that ends at `end`, and where it begins.
std::pair<std::string_view, std::size_t> word_before(std::string_view text, std::size_t end) {
  while (end > 0 && is_blank(text[end - 1])) --end;
  std::size_t begin = end;
  while (begin > 0 && !is_blank(text[begin - 1])) --begin;
  return {text.substr(begin, end - begin), begin};
}

template <typename Number>
std::optional<Number> number_in(std::string_view text, int base = 10) {
  Number value{};
  const auto [end, error] = [&] {
    if constexpr (std::is_floating_point_v<Number>) {
      return std::from_chars(text.data(), text.data() + text.size(), value);
    } else {
      return std::from_chars(text.data(), text.data() + text.size(), value, base);
    }
  }();
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// "123.456789" of "123.456789:".
std::optional<double> time_in(std::string_view word) {
  if (!word.ends_with(':') || word.find('.') == std::string_view::npos) return std::nullopt;
  return number_in<double>(word.substr(0, word.size() - 1));
}

/// An event whose period is in nanoseconds.
bool counts_time(std::string_view event) {
  return event.starts_with("cpu-clock") || event.starts_with("task-clock");
}

/// In the trace text of sched_switch: "R" or "R+" is a thread that would have gone on.
bool was_ready(std::string_view trace) {
  constexpr std::string_view kState = "prev_state=";
  const auto at = trace.find(kState);
  return at != std::string_view::npos && trace.substr(at + kState.size()).starts_with('R');
}

std::uint64_t ns_of(double sec) {
  return sec > 0 ? static_cast<std::uint64_t>(std::llround(sec * 1e9)) : 0;
}

}  // namespace

PerfScript::PerfScript(std::string phase, double frequency_hz, TargetOf target_of)
    : phase_(std::move(phase)), frequency_hz_(frequency_hz), target_of_(std::move(target_of)) {}

void PerfScript::read(std::istream& in) {
  for (std::string text; std::getline(in, text);) line(text);
}

void PerfScript::line(std::string_view text) {
  if (trimmed(text).empty()) {
    end_event();
    return;
  }
  if (is_blank(text.front()) && head_) {
    if (auto frame = parse_frame(text)) {
      // One address again and again: the unwinding runs in a circle there.
      const bool again = frame->function == kUnknown && frame->object.empty() && !frames_.empty() &&
                         frames_.back() == *frame;
      if (!again) frames_.push_back(std::move(*frame));
      return;
    }
  }
  // A head may be indented too: perf pads short names.
  if (auto head = parse_head(text)) {
    end_event();
    begin(*head);
  } else if (!text.starts_with('#')) {
    ++result_.lines_unread;
  }
}

/// "comm  pid/tid [cpu]  sec.micros:  period  event:  trace"; comm may hold blanks, and cpu may be missing.
std::optional<PerfScript::Head> PerfScript::parse_head(std::string_view text) {
  for (std::size_t colon = text.find(": ");; colon = text.find(": ", colon + 1)) {
    const bool last = colon == std::string_view::npos;
    const std::size_t end = last ? text.size() : colon + 1;
    auto [time, time_at] = word_before(text, end);
    if (const auto sec = time_in(time)) {
      auto [ids, ids_at] = word_before(text, time_at);
      if (ids.starts_with('[')) std::tie(ids, ids_at) = word_before(text, ids_at);
      const auto slash = ids.find('/');
      const auto pid = number_in<pid_t>(ids.substr(0, slash));
      const auto tid = slash == std::string_view::npos ? pid : number_in<pid_t>(ids.substr(slash + 1));
      if (!pid || !tid) return std::nullopt;
      Head head{*pid, *tid, *sec, std::string(trimmed(text.substr(0, ids_at))), "", 0, ""};
      std::string_view rest = trimmed(text.substr(end));
      const auto blank = rest.find(' ');
      if (const auto period = number_in<std::uint64_t>(rest.substr(0, blank)); period && blank != rest.npos) {
        head.period = *period;
        rest = trimmed(rest.substr(blank));
      }
      const auto name_end = rest.find(": ");
      head.event = std::string(trimmed(rest.substr(0, name_end)));
      if (head.event.ends_with(':')) head.event.pop_back();
      if (name_end != std::string_view::npos) head.rest = std::string(trimmed(rest.substr(name_end + 1)));
      return head;
    }
    if (last) return std::nullopt;
  }
}

/// "  address symbol (object)", "  address symbol+0x1f (object)". The symbol may hold blanks and parentheses,
/// the object blanks: it begins at the parenthesis that matches the last one.
std::optional<Frame> PerfScript::parse_frame(std::string_view text) {
  text = trimmed(text);
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos || !number_in<std::uint64_t>(text.substr(0, blank), 16))
    return std::nullopt;
  std::string_view rest = trimmed(text.substr(blank));
  // Inlined functions have no object of their own: "(inlined)".
  std::string_view object;
  if (rest.ends_with(')')) {
    int depth = 0;
    std::size_t open = rest.size();
    for (std::size_t at = rest.size(); at-- > 0;) {
      if (rest[at] == ')') ++depth;
      if (rest[at] == '(' && --depth == 0) {
        open = at;
        break;
      }
    }
    if (open < rest.size()) {
      object = rest.substr(open + 1, rest.size() - open - 2);
      rest = trimmed(rest.substr(0, open));
    }
  }
  if (const auto offset = rest.rfind("+0x");
      offset != std::string_view::npos && number_in<std::uint64_t>(rest.substr(offset + 3), 16)) {
    rest = rest.substr(0, offset);
  }
  Frame frame;
  frame.kernel = object.starts_with("[kernel") || object.starts_with("[guest.kernel") ||
                 object.ends_with(".ko") || object.ends_with("vmlinux");
  frame.function = rest.empty() || rest == kUnknown ? std::string(kUnknown) : readable_symbol(rest);
  if (object != kUnknown && object != "inlined") {
    const auto slash = object.starts_with('[') ? std::string_view::npos : object.rfind('/');
    frame.object = std::string(slash == std::string_view::npos ? object : object.substr(slash + 1));
  }
  if (frame.kernel) frame.object = "[kernel]";
  return frame;
}

const std::optional<std::string>& PerfScript::target(const Head& head) {
  const auto found = targets_.find(head.pid);
  if (found != targets_.end()) return found->second;
  return targets_.emplace(head.pid, target_of_(head.pid, head.comm)).first->second;
}

void PerfScript::begin(const Head& head) {
  if (!first_sec_) first_sec_ = head.sec;
  last_sec_ = std::max(last_sec_, head.sec);
  const std::optional<std::string>& name = target(head);
  if (!name) {
    ++result_.not_ours;
    head_ = head;  // its frames are read and dropped
    return;
  }
  Thread& thread = threads_[head.tid];
  thread.target = *name;
  if (head.event.starts_with(kSwitch)) {
    take_switch(thread, head);
    return;
  }
  head_ = head;
}

/// The frames of an event are all there.
void PerfScript::end_event() {
  const auto head = std::exchange(head_, std::nullopt);
  std::vector<Frame> frames = std::exchange(frames_, {});
  if (!head || !target(*head)) return;
  if (std::find(result_.events.begin(), result_.events.end(), head->event) == result_.events.end())
    result_.events.push_back(head->event);
  Thread& thread = threads_[head->tid];
  std::reverse(frames.begin(), frames.end());
  if (head->event.starts_with(kSchedSwitch)) {
    thread.was_made_to = was_ready(head->rest);
    thread.going = std::move(frames);
    return;
  }
  const std::uint64_t ns = counts_time(head->event) ? head->period
                           : frequency_hz_ > 0      ? ns_of(1 / frequency_hz_)
                                                    : 0;
  Profile& profile = result_.profile;
  profile.add({phase_, thread.target, Kind::on_cpu}, profile.numbers_of(frames), is_broken(frames), 1, ns);
  thread.on_cpu_ns += ns;
  ++result_.samples;
}

/// "PERF_RECORD_SWITCH OUT preempt" is one that the thread did not ask for.
void PerfScript::take_switch(Thread& thread, const Head& head) {
  result_.waits_known = true;
  if (head.event.find(" IN") != std::string::npos) {
    // One that was off the CPU when the recording began.
    if (!thread.seen) thread.out_sec = first_sec_;
    take_switch_in(thread, head.sec);
  } else {
    thread.was_made_to =
        head.event.find("preempt") != std::string::npos || (thread.going && thread.was_made_to);
    thread.in = std::exchange(thread.going, std::nullopt);
    thread.out_sec = head.sec;
  }
  thread.seen = true;
}

void PerfScript::take_switch_in(Thread& thread, double now_sec) {
  const auto since_sec = std::exchange(thread.out_sec, std::nullopt);
  auto in = std::exchange(thread.in, std::nullopt);
  const bool made_to = std::exchange(thread.was_made_to, false);
  if (!since_sec) return;
  Waits& waits = made_to ? thread.made_to : thread.wanted;
  const double sec = std::max(0.0, now_sec - *since_sec);
  waits.sec += sec;
  if (!in) return;
  waits.sampled_sec += sec;
  const bool broken = is_broken(*in);
  if (made_to) in->push_back({std::string(kPreempted), "[kernel]", true});
  std::vector<std::uint32_t> numbers;
  for (const Frame& frame : *in) numbers.push_back(waits.sampled.frame(frame));
  waits.sampled.add({phase_, thread.target, Kind::off_cpu}, std::move(numbers), broken, 1, ns_of(sec));
}

/// The sampled ones stand for all.
void PerfScript::add_waits(Thread& thread, bool made_to) {
  const Waits& waits = made_to ? thread.made_to : thread.wanted;
  if (waits.sec <= 0) return;
  const Profile::Owner owner{phase_, thread.target, Kind::off_cpu};
  if (waits.sampled_sec <= 0) {
    const Frame frame{std::string(made_to ? kPreempted : kNotSampled), "[kernel]", true};
    result_.profile.add(owner, {result_.profile.frame(frame)}, true, 0, ns_of(waits.sec));
    return;
  }
  const double scale = waits.sec / waits.sampled_sec;
  for (const Stack& stack : waits.sampled.stacks()) {
    std::vector<std::uint32_t> numbers;
    for (const std::uint32_t number : stack.frames)
      numbers.push_back(result_.profile.frame(waits.sampled.frames()[number]));
    result_.profile.add(owner, std::move(numbers), stack.broken, stack.samples,
                        static_cast<std::uint64_t>(std::llround(static_cast<double>(stack.ns) * scale)));
  }
}

PerfScript::Result PerfScript::finish() {
  end_event();
  std::map<std::string, std::uint64_t> on_cpu_ns;  // by target
  for (const auto& [tid, thread] : threads_) on_cpu_ns[thread.target] += thread.on_cpu_ns;
  for (auto& [tid, thread] : threads_) {
    take_switch_in(thread, last_sec_);
    const std::uint64_t all_ns = on_cpu_ns[thread.target];
    const double share = static_cast<double>(thread.on_cpu_ns) / std::max(1.0, static_cast<double>(all_ns));
    if (share < kIdleShareMax && all_ns > 0) {
      ++result_.idle_threads;
      continue;
    }
    add_waits(thread, false);
    add_waits(thread, true);
  }
  threads_.clear();
  return std::exchange(result_, {});
}

bool is_broken(const std::vector<Frame>& frames) {
  // The last two begin what a thread of a pool does; the few functions before them keep no frame pointer.
  static constexpr std::array<std::string_view, 12> kBeginnings{"_start",
                                                                "__libc_start_main",
                                                                "__libc_start_call_main",
                                                                "main",
                                                                "clone",
                                                                "clone3",
                                                                "__clone",
                                                                "__clone3",
                                                                "start_thread",
                                                                "ret_from_fork_asm",
                                                                "execute_native_thread_routine",
                                                                "Poco::Net::HTTPServerConnection::run"};
  if (frames.empty()) return true;
  const Frame& outermost = frames.front();
  // Its one function that calls others is that routine, which is nameless without debug symbols.
  if (outermost.function == kUnknown && outermost.object.starts_with("libstdc++.so")) return false;
  return !outermost.function.starts_with("ret_from_fork") &&
         std::find(kBeginnings.begin(), kBeginnings.end(), outermost.function) == kBeginnings.end();
}

}  // namespace walstorm::profile
