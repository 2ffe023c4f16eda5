#include "orchestrator/process/signals.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <unistd.h>

namespace walstorm::process {
namespace {

constexpr std::array kOfPersons{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
/// Batch schedulers warn by SIGUSR1, SIGUSR2 or SIGXCPU; a timer set before exec (`alarm`) outlives it.
constexpr std::array kOfOthers{SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU,
                               SIGPOLL, SIGPWR,  SIGABRT, SIGTRAP,   SIGSYS,  SIGSTKFLT};
constexpr std::array kFaults{SIGSEGV, SIGBUS, SIGFPE, SIGILL};

bool is_ignored(int signal) {
  struct sigaction now {};
  return ::sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
         now.sa_handler == SIG_IGN;
}

void on_fault(int signal, siginfo_t* info, void* /*context*/) {
  // kill(2), sigqueue(3) and tgkill(2) have codes up to 0; the kernel's own are above (sigaction(2)).
  if (info->si_code <= 0 && info->si_pid != ::getpid()) {
    ::raise(SIGABRT);
    return;
  }
  // The instruction that failed is tried again, and now ends the process.
  ::signal(signal, SIG_DFL);
  if (info->si_code <= 0) ::raise(signal);
}

}  // namespace

void ignore_signals_of_writes() {
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGTTOU, SIGTTIN}) ::signal(signal, SIG_IGN);
}

std::vector<int> ending_signals() {
  std::vector<int> signals(kOfPersons.begin(), kOfPersons.end());
  signals.insert(signals.end(), kOfOthers.begin(), kOfOthers.end());
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) signals.push_back(signal);
  std::erase_if(signals, is_ignored);
  return signals;
}

bool is_sent_by_a_person(int signal) {
  return std::find(kOfPersons.begin(), kOfPersons.end(), signal) != kOfPersons.end();
}

void turn_sent_faults_into_requests() {
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : kFaults) {
    struct sigaction before {};
    // A sanitizer that looks for faults of ours keeps its handler.
    const bool is_free = ::sigaction(signal, nullptr, &before) == 0 && (before.sa_flags & SA_SIGINFO) == 0 &&
                         before.sa_handler == SIG_DFL;
    if (is_free) ::sigaction(signal, &action, nullptr);
  }
}

void restore_default_signals() {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace walstorm::process
