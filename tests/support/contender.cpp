// Two threads that want one mutex, for as long as their parent lives: what a profile of contention has to
// find.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

namespace contender {

std::mutex mutex;
std::atomic<std::uint64_t> turned;

void turn(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) turned.fetch_add(1, std::memory_order_relaxed);
}

/// Most of the time is spent with the lock; some without, so that the other one gets it.
[[gnu::noinline]] void take_and_hold() {
  const std::lock_guard<std::mutex> lock(mutex);
  turn(400'000);
}

[[gnu::noinline]] void want_it_for_ever() {
  for (;;) {
    take_and_hold();
    turn(100'000);
  }
}

}  // namespace contender

int main() {
  std::thread other(contender::want_it_for_ever);
  contender::want_it_for_ever();
}
