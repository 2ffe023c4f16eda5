#pragma once

#include <vector>

/// What each signal does to the orchestrator: all that would end it ask for an orderly end instead, for there
/// is a slot on the server that has to be dropped. Only SIGKILL, which nobody is asked about, and a crash of
/// our own leave it to the next start.
namespace walstorm::process {

/// Called once, first thing in main. Ignores what would end or stop the program for a mere write: SIGPIPE and
/// SIGXFSZ (the write says EPIPE, EFBIG), SIGTTOU and SIGTTIN (a background job that writes to its terminal
/// goes on).
void ignore_signals_of_writes();

/// The signals that ask for the end: those whose default is to end the process, and that were not ignored
/// when it started (nohup, trap '' INT, a shell's background jobs): these stay ignored.
[[nodiscard]] std::vector<int> ending_signals();

/// Whether each one counts as another request, as a person sends them; timers and limits repeat themselves.
[[nodiscard]] bool is_sent_by_a_person(int signal);

/// SIGSEGV, SIGBUS, SIGFPE and SIGILL that another process sent arrive as SIGABRT, one of the ending signals;
/// a fault of our own ends the process as it always does.
void turn_sent_faults_into_requests();

/// For a child between fork and exec, where only async-signal-safe calls may be made: defaults for all,
/// nothing blocked. What was ignored on our behalf is not the child's affair.
void restore_default_signals();

}  // namespace walstorm::process
