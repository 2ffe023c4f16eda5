// A library to be preloaded (ld.so(8), LD_PRELOAD): the wall clock of the process is ahead by
// WALSTORM_TEST_CLOCK_AHEAD_SEC seconds, as it would be on another host. Clocks for durations are as they
// are. With WALSTORM_TEST_CLOCK_STEP_FILE it is set by as much only when that file is there, as by a person
// in mid-run.

#include <cstdlib>
#include <ctime>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

time_t ahead_sec() {
  static const time_t sec = [] {
    const char* const text = std::getenv("WALSTORM_TEST_CLOCK_AHEAD_SEC");
    return text == nullptr ? 0 : static_cast<time_t>(std::atol(text));
  }();
  static const char* const step_file = std::getenv("WALSTORM_TEST_CLOCK_STEP_FILE");
  static bool stepped = false;
  if (step_file != nullptr && !stepped) stepped = ::access(step_file, F_OK) == 0;
  return step_file == nullptr || stepped ? sec : 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t id, timespec* now) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, id, now));
  if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead_sec();
  return result;
}

int gettimeofday(timeval* now, void* /*zone*/) noexcept {
  timespec precise{};
  const int result = clock_gettime(CLOCK_REALTIME, &precise);
  if (result == 0) *now = {precise.tv_sec, precise.tv_nsec / 1000};
  return result;
}

time_t time(time_t* now) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now != nullptr) *now = precise.tv_sec;
  return precise.tv_sec;
}
}
