#include "orchestrator/process/background_writer.h"

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace walstorm::process {
namespace {

constexpr std::chrono::milliseconds kLook{10};
/// Of a writer that nobody has finished, as when an error ends the program.
constexpr std::chrono::seconds kLastTexts{1};

/// 0, or errno. Another process that shares the descriptor may have made it non-blocking.
int write_whole(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t bytes = ::write(descriptor, text.data(), text.size());
    if (bytes >= 0) {
      text.remove_prefix(static_cast<std::size_t>(bytes));
    } else if (errno == EAGAIN) {
      pollfd writable{descriptor, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// The main thread is the one that signals are for.
void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

struct BackgroundWriter::Shared {
  Shared(int writes_to, const Options& how) : descriptor(writes_to), options(how) {}
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() {
    if (options.owns_descriptor) ::close(descriptor);
  }

  const int descriptor;
  const Options options;
  std::mutex mutex;
  std::condition_variable changed, idle;
  // Guarded by `mutex`:
  std::deque<std::string> texts;
  std::size_t waiting_bytes = 0;  // of `texts` and of the one that is being written
  std::uint64_t done = 0;
  Losses losses;
  bool closing = false;
};

BackgroundWriter::BackgroundWriter(int descriptor, Options options)
    : shared_(std::make_shared<Shared>(descriptor, options)), thread_([shared = shared_] {
        block_signals();
        serve(*shared);
      }) {}

BackgroundWriter::~BackgroundWriter() {
  bool stuck = false;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->idle.wait_for(lock, kLastTexts, [this] { return shared_->waiting_bytes == 0; });
    shared_->closing = true;
    shared_->texts.clear();
    stuck = shared_->waiting_bytes > 0;
  }
  shared_->changed.notify_one();
  // A write under way may take for ever. What it uses is its own.
  stuck ? thread_.detach() : thread_.join();
}

void BackgroundWriter::write(std::string text) {
  if (text.empty()) return;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->waiting_bytes > 0 &&
        shared_->waiting_bytes + text.size() > shared_->options.waiting_bytes_max) {
      ++shared_->losses.texts;
      return;
    }
    shared_->waiting_bytes += text.size();
    shared_->texts.push_back(std::move(text));
  }
  shared_->changed.notify_one();
}

bool BackgroundWriter::is_idle() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->waiting_bytes == 0;
}

BackgroundWriter::Losses BackgroundWriter::losses() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->losses;
}

bool BackgroundWriter::finish(EventLoop& loop, std::chrono::milliseconds timeout, int interrupts_tolerated) {
  boost::asio::steady_timer tick(loop.io());
  std::uint64_t done = 0;
  auto stuck_since = loop.attended();
  while (!is_idle()) {
    if (loop.interrupts() > interrupts_tolerated || loop.attended() - stuck_since > timeout) return false;
    bool ticked = false;
    tick.expires_after(kLook);
    tick.async_wait([&ticked](const boost::system::error_code&) { ticked = true; });
    (void)loop.wait(std::chrono::hours(1), loop.interrupts(), [&ticked] { return ticked; });
    tick.cancel();
    (void)loop.wait(std::chrono::hours(1), loop.interrupts() + 1000, [&ticked] { return ticked; });
    const std::lock_guard lock(shared_->mutex);
    if (std::exchange(done, shared_->done) != shared_->done) stuck_since = loop.attended();
  }
  return true;
}

void BackgroundWriter::serve(Shared& shared) {
  while (true) {
    std::string text;
    {
      std::unique_lock lock(shared.mutex);
      shared.changed.wait(lock, [&shared] { return shared.closing || !shared.texts.empty(); });
      if (shared.texts.empty()) return;
      text = std::move(shared.texts.front());
      shared.texts.pop_front();
    }
    const off_t began =
        shared.options.partial == Partial::taken_back ? ::lseek(shared.descriptor, 0, SEEK_END) : -1;
    const int error = write_whole(shared.descriptor, text);
    if (error != 0 && began >= 0 && ::ftruncate(shared.descriptor, began) != 0) {
      // Then the line stays cut short, and its reader knows it by that.
    }
    const std::lock_guard lock(shared.mutex);
    shared.waiting_bytes -= text.size();
    ++shared.done;
    if (shared.waiting_bytes == 0) shared.idle.notify_one();
    if (error == 0) continue;
    ++shared.losses.texts;
    if (shared.losses.error == 0) shared.losses.error = error;
  }
}

std::string reason_of(const BackgroundWriter::Losses& losses) {
  return losses.error == 0 ? "more was waiting than is kept" : std::strerror(losses.error);
}

}  // namespace walstorm::process
