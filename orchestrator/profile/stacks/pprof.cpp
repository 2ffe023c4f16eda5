#include "orchestrator/profile/stacks/pprof.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "orchestrator/profile/stacks/gzip.h"
#include "orchestrator/profile/stacks/pprof.pb.h"
#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

namespace walstorm::profile {
namespace {

constexpr std::size_t kFileBytesMax = 1U << 30U;
constexpr std::size_t kStackFramesMax = 4096;
constexpr const char* kPhase = "phase";
constexpr const char* kTarget = "target";
constexpr const char* kBroken = "broken";

/// pprof counts functions of one name together: those without one are called by what they are of.
std::string nameless(const std::string& object) {
  return "[unknown in " + object + "]";
}

/// Makes the tables that samples point into.
class Writer final {
 public:
  Writer() {
    (void)text("");
    (void)mapping("walstorm");  // pprof takes the first one for the program
  }

  std::int64_t text(const std::string& value) {
    const auto [found, is_new] = texts_.try_emplace(value, static_cast<std::int64_t>(texts_.size()));
    if (is_new) file.add_string_table(wire::to_utf8(value));
    return found->second;
  }

  void type(pprof::ValueType& type, const char* name, const char* unit) {
    type.set_type(text(name));
    type.set_unit(text(unit));
  }

  void label(pprof::Sample& sample, const char* key, const std::string& value) {
    if (value.empty()) return;
    pprof::Label& label = *sample.add_label();
    label.set_key(text(key));
    label.set_str(text(value));
  }

  std::uint64_t mapping(const std::string& object) {
    if (object.empty()) return 0;
    const auto [found, is_new] = mappings_.try_emplace(object, mappings_.size() + 1);
    if (is_new) {
      pprof::Mapping& mapping = *file.add_mapping();
      mapping.set_id(found->second);
      mapping.set_filename(text(object));
      mapping.set_has_functions(true);
    }
    return found->second;
  }

  /// Frames become functions and locations of the same number, from 1 on.
  void frame(const Frame& frame, std::uint64_t id) {
    pprof::Function& function = *file.add_function();
    function.set_id(id);
    function.set_name(
        text(frame.function == kUnknown && !frame.object.empty() ? nameless(frame.object) : frame.function));
    pprof::Location& location = *file.add_location();
    location.set_id(id);
    location.set_mapping_id(mapping(frame.object));
    location.add_line()->set_function_id(id);
  }

  pprof::Profile file;

 private:
  std::map<std::string, std::int64_t> texts_;
  std::map<std::string, std::uint64_t> mappings_;
};

/// Of whose values a sample's are taken.
struct Columns {
  std::optional<int> samples, cpu_ns, waits, off_cpu_ns;
};

[[noreturn]] void refuse_pprof(const std::string& why) {
  throw wire::Error(wire::ErrorKind::data, "read a pprof file: " + why);
}

class Reader final {
 public:
  Reader(const pprof::Profile& file, std::string target) : file_(file), target_(std::move(target)) {
    for (const pprof::Mapping& mapping : file.mapping()) mappings_[mapping.id()] = text(mapping.filename());
    for (const pprof::Function& function : file.function()) functions_[function.id()] = text(function.name());
    for (const pprof::Location& location : file.location()) locations_[location.id()] = &location;
    find_columns();
  }

  Profile read() {
    Profile profile;
    for (const pprof::Sample& sample : file_.sample()) take(sample, profile);
    return profile;
  }

 private:
  std::string text(std::int64_t at) const {
    if (at < 0 || at >= file_.string_table_size()) refuse_pprof("a text is missing");
    return file_.string_table(static_cast<int>(at));
  }

  void find_columns() {
    for (int i = 0; i < file_.sample_type_size(); ++i) {
      const std::string type = text(file_.sample_type(i).type());
      const std::string unit = text(file_.sample_type(i).unit());
      if (type == "waits" && unit == "count") columns_.waits = i;
      if (type == "off_cpu" && unit == "nanoseconds") columns_.off_cpu_ns = i;
      if (type == "cpu" && unit == "nanoseconds") columns_.cpu_ns = i;
      if (type == "samples" && unit == "count") columns_.samples = i;
    }
    if (columns_.samples || columns_.cpu_ns || file_.sample_type_size() == 0) return;
    columns_.samples = file_.sample_type_size() - 1;  // pprof's own default is the last one
    for (int i = 0; i < file_.sample_type_size(); ++i) {
      if (file_.default_sample_type() != 0 && file_.sample_type(i).type() == file_.default_sample_type())
        columns_.samples = i;
    }
  }

  static std::uint64_t value(const pprof::Sample& sample, const std::optional<int>& column) {
    if (!column || *column >= sample.value_size()) return 0;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(sample.value(*column), 0));
  }

  void take(const pprof::Sample& sample, Profile& profile) const {
    Profile::Owner owner{"", target_, Kind::on_cpu};
    bool broken = false;
    for (const pprof::Label& label : sample.label()) {
      const std::string key = text(label.key());
      if (key == kPhase) owner.phase = text(label.str());
      if (key == kTarget) owner.target = text(label.str());
      if (key == kBroken) broken = true;
    }
    if (static_cast<std::size_t>(sample.location_id_size()) > kStackFramesMax)
      refuse_pprof("a stack has no end");
    std::vector<std::uint32_t> frames;
    for (const std::uint64_t id : sample.location_id()) add_frames(id, frames, profile);
    std::reverse(frames.begin(), frames.end());
    const std::uint64_t waited_ns = value(sample, columns_.off_cpu_ns);
    const std::uint64_t cpu_ns = value(sample, columns_.cpu_ns);
    if (waited_ns > 0) owner.kind = Kind::off_cpu;
    const std::optional<int>& count = waited_ns > 0 ? columns_.waits : columns_.samples;
    const std::uint64_t samples = count ? value(sample, count) : 1;
    if (samples == 0 && cpu_ns == 0 && waited_ns == 0) return;
    profile.add(owner, std::move(frames), broken, samples, waited_ns > 0 ? waited_ns : cpu_ns);
  }

  /// A location's lines are inlined into each other, the innermost first.
  void add_frames(std::uint64_t id, std::vector<std::uint32_t>& frames, Profile& profile) const {
    const auto found = locations_.find(id);
    if (found == locations_.end()) refuse_pprof("a location is missing");
    const auto mapping = mappings_.find(found->second->mapping_id());
    const std::string object = mapping == mappings_.end() ? "" : mapping->second;
    const auto slash = object.rfind('/');
    Frame frame{std::string(kUnknown), slash == std::string::npos ? object : object.substr(slash + 1),
                object.starts_with("[kernel")};
    if (found->second->line().empty()) frames.push_back(profile.frame(frame));
    for (const pprof::Line& line : found->second->line()) {
      const auto function = functions_.find(line.function_id());
      if (function != functions_.end()) frame.function = function->second;
      if (frame.function == nameless(frame.object)) frame.function = kUnknown;
      frames.push_back(profile.frame(frame));
    }
  }

  const pprof::Profile& file_;
  const std::string target_;
  Columns columns_;
  std::map<std::uint64_t, std::string> mappings_, functions_;
  std::map<std::uint64_t, const pprof::Location*> locations_;
};

std::int64_t signed_value(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace

std::string pprof_file(const Profile& profile, const Taken& taken) {
  Writer writer;
  writer.type(*writer.file.add_sample_type(), "samples", "count");
  writer.type(*writer.file.add_sample_type(), "cpu", "nanoseconds");
  writer.type(*writer.file.add_sample_type(), "waits", "count");
  writer.type(*writer.file.add_sample_type(), "off_cpu", "nanoseconds");
  writer.file.set_default_sample_type(writer.text("cpu"));
  writer.file.set_time_nanos(taken.at_unix_us * 1000);
  writer.file.set_duration_nanos(std::llround(taken.duration_sec * 1e9));
  if (taken.frequency_hz > 0) {
    writer.type(*writer.file.mutable_period_type(), "cpu", "nanoseconds");
    writer.file.set_period(std::llround(1e9 / taken.frequency_hz));
  }
  std::size_t number = 0;
  for (const Frame& frame : profile.frames()) writer.frame(frame, ++number);
  for (const Stack& stack : profile.stacks()) {
    pprof::Sample& sample = *writer.file.add_sample();
    for (auto frame = stack.frames.rbegin(); frame != stack.frames.rend(); ++frame)
      sample.add_location_id(*frame + 1U);
    const bool on_cpu = stack.kind == Kind::on_cpu;
    for (const bool counts : {on_cpu, !on_cpu}) {
      sample.add_value(counts ? signed_value(stack.samples) : 0);
      sample.add_value(counts ? signed_value(stack.ns) : 0);
    }
    writer.label(sample, kPhase, stack.phase);
    writer.label(sample, kTarget, stack.target);
    if (stack.broken) writer.label(sample, kBroken, "yes");
  }
  return gzip(writer.file.SerializeAsString());
}

Profile read_pprof(std::string_view file, const std::string& target) {
  const std::string bytes = is_gzip(file) ? gunzip(file, kFileBytesMax) : std::string(file);
  pprof::Profile parsed;
  if (!parsed.ParseFromString(bytes) || parsed.sample_type().empty()) refuse_pprof("it is none");
  return Reader(parsed, target).read();
}

}  // namespace walstorm::profile
