// A worker process that misbehaves on order, for tests of how the orchestrator takes it.
//
// The environment variable WALSTORM_TEST_SCRIPT holds "<when>:<what>[=N]":
//   when   start, setup, start_phase, end_phase, stop: the frame that triggers it (start: before any)
//   what   exit=N, raise=N (a signal to itself), silent (no answer, stays), half_frame (and exits 0),
//   nonsense
//          (bytes that are no frame), oversized (a length beyond the limit), close_pipe (stdout, and stays),
//          flood=N (N Samples at once, then behaves), refuse (Failure), elsewhere (says that it is on a host
//          of that name)
// Anything not scripted is done as a worker should: Hello, PhaseReady, a Sample with load_finished,
// PhaseResult. WALSTORM_TEST_STUBBORN set: SIGTERM is ignored.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include "proto/control.pb.h"
#include "proto/metrics.pb.h"
#include "proto/wire/framing.h"
#include "proto/wire/host_name.h"
#include "proto/wire/worker_session.h"

namespace {

using walstorm::proto::ControlFrame;
using walstorm::proto::MetricsFrame;

struct Script {
  std::string when;
  std::string what;
  int number = 0;
};

std::string host = walstorm::wire::host_name();  // as Hello names it

Script read_script() {
  Script script;
  const char* text = std::getenv("WALSTORM_TEST_SCRIPT");
  if (text == nullptr) return script;
  const std::string all = text;
  const auto colon = all.find(':');
  const auto equals = all.find('=');
  script.when = all.substr(0, colon);
  script.what = all.substr(colon + 1, equals == std::string::npos ? equals : equals - colon - 1);
  if (equals != std::string::npos) script.number = std::atoi(all.c_str() + equals + 1);
  return script;
}

void write_all(const std::string& bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data() + at, bytes.size() - at);
    if (written <= 0) std::_Exit(2);
    at += static_cast<std::size_t>(written);
  }
}

void send(const MetricsFrame& frame) {
  std::string bytes;
  walstorm::wire::append_frame(frame, bytes);
  write_all(bytes);
}

MetricsFrame finished_sample(unsigned phase_index) {
  MetricsFrame frame;
  frame.mutable_sample()->set_phase_index(phase_index);
  frame.mutable_sample()->mutable_producer()->set_load_finished(true);
  return frame;
}

void stay_silent() {
  while (true) ::pause();
}

/// Returns whether the frame is still to be answered properly.
bool misbehave(const Script& script, unsigned phase_index) {
  if (script.what == "exit") std::_Exit(script.number);
  if (script.what == "raise") std::raise(script.number);
  if (script.what == "silent") stay_silent();
  if (script.what == "half_frame") {
    write_all(std::string("\x20") + "half");
    std::_Exit(0);
  }
  if (script.what == "nonsense") write_all(std::string("\x04\xff\xff\xff\xff"));
  if (script.what == "oversized") write_all(std::string("\xff\xff\xff\xff\x7f"));
  if (script.what == "close_pipe") ::close(STDOUT_FILENO), stay_silent();
  if (script.what == "refuse") {
    MetricsFrame frame;
    frame.mutable_failure()->set_kind(walstorm::proto::FAILURE_UNAVAILABLE);
    frame.mutable_failure()->set_message("refused as scripted");
    frame.mutable_failure()->set_where("setup");
    send(frame);
    std::_Exit(1);
  }
  for (int i = 0; script.what == "flood" && i < script.number; ++i) send(finished_sample(phase_index));
  if (script.what == "elsewhere") host = script.what;
  return script.what == "flood" || script.what == "elsewhere";
}

void answer(const ControlFrame& control) {
  MetricsFrame frame;
  switch (control.body_case()) {
    case ControlFrame::kSetup:
      frame.mutable_hello()->set_protocol_version(walstorm::wire::kProtocolVersion);
      frame.mutable_hello()->set_pid(static_cast<unsigned>(::getpid()));
      frame.mutable_hello()->set_host(host);
      return send(frame);
    case ControlFrame::kStartPhase:
      frame.mutable_phase_ready()->set_phase_index(control.start_phase().phase_index());
      send(frame);
      return send(finished_sample(control.start_phase().phase_index()));
    case ControlFrame::kEndPhase:
      frame.mutable_phase_result()->set_phase_index(control.end_phase().phase_index());
      frame.mutable_phase_result()->mutable_producer();
      return send(frame);
    case ControlFrame::kCheckContent:
      frame.mutable_content_checked();
      return send(frame);
    case ControlFrame::kStop:
      std::_Exit(0);
    case ControlFrame::BODY_NOT_SET:
      return;
  }
}

std::string trigger_of(const ControlFrame& control) {
  switch (control.body_case()) {
    case ControlFrame::kSetup:
      return "setup";
    case ControlFrame::kStartPhase:
      return "start_phase";
    case ControlFrame::kEndPhase:
      return "end_phase";
    case ControlFrame::kCheckContent:
      return "check_content";
    case ControlFrame::kStop:
      return "stop";
    case ControlFrame::BODY_NOT_SET:
      return "";
  }
  return "";
}

}  // namespace

int main() {
  if (std::getenv("WALSTORM_TEST_STUBBORN") != nullptr) std::signal(SIGTERM, SIG_IGN);
  const Script script = read_script();
  if (script.when == "start") (void)misbehave(script, 0);
  walstorm::wire::FrameDecoder decoder;
  std::string chunk(4096, '\0');
  while (true) {
    const ssize_t bytes = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (bytes <= 0) return 0;
    decoder.feed({chunk.data(), static_cast<std::size_t>(bytes)});
    while (const auto frame = decoder.next()) {
      ControlFrame control;
      if (!control.ParseFromArray(frame->data(), static_cast<int>(frame->size()))) return 3;
      if (trigger_of(control) == script.when && !misbehave(script, control.start_phase().phase_index()))
        continue;
      answer(control);
    }
  }
}
