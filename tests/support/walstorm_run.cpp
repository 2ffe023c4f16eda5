#include "tests/support/walstorm_run.h"

#include <array>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace walstorm::tests {
namespace {

namespace fs = std::filesystem;

std::string read_whole(const fs::path& path) {
  // By read(), which takes a process's end in mid-read as the end of its file in /proc: stream iterators
  // throw.
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::array<char, 4096> chunk{};
  while (in.read(chunk.data(), chunk.size()), in.gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
  }
  return text;
}

pid_t parent_of(pid_t pid) {
  const std::string stat = read_whole("/proc/" + std::to_string(pid) + "/stat");
  const auto after = stat.rfind(')');
  if (after == std::string::npos) return 0;
  std::istringstream fields(stat.substr(after + 2));
  std::string state;
  pid_t parent = 0;
  fields >> state >> parent;
  return state == "Z" ? 0 : parent;
}

}  // namespace

WalstormRun::WalstormRun(const nlohmann::json& config, std::vector<std::string> arguments,
                         const fs::path& program, const std::string& command) {
  const fs::path config_file = folder_.path() / "test.json";
  std::ofstream(config_file) << config.dump(2);
  const fs::path temp = folder_.path() / "tmp";
  fs::create_directories(temp);
  fs::permissions(temp, fs::perms{0755});
  process::ChildOptions options;
  options.program = "/usr/bin/env";
  options.variables = process::Variables::all;
  options.arguments = {"TMPDIR=" + temp.string(), "DATABASE_URL=", "CLICKHOUSE_URL=",
                       program.string(),          command,         "-c",
                       config_file.string(),      "--output",      (folder_.path() / "results").string()};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  options.log_file = folder_.path() / "output.txt";
  child_ = std::make_unique<process::ChildProcess>(loop_, options);
}

WalstormRun::~WalstormRun() = default;

process::ExitStatus WalstormRun::finish(std::chrono::seconds timeout) {
  (void)descendants("");
  if (loop_.wait(timeout, 0, [this] { return child_->ended().has_value(); }) != process::Waited::done) {
    ADD_FAILURE() << "walstorm did not end within " << timeout.count() << " s:\n" << output();
    return {-1, 0};
  }
  return *child_->ended();
}

void WalstormRun::wait_until(const std::function<bool()>& condition) {
  boost::asio::steady_timer beat(loop_.io());
  std::function<void()> tick = [&] {
    beat.expires_after(std::chrono::milliseconds(20));
    beat.async_wait([&](const boost::system::error_code& error) {
      if (!error) tick();
    });
  };
  tick();
  // Once is enough: what was true for a moment need not be true when asked again.
  bool met = false;
  (void)loop_.wait(std::chrono::seconds(30), 0, [&] {
    met = met || condition();
    return met || child_->ended();
  });
  beat.cancel();
  loop_.io().poll();
  if (!met) ADD_FAILURE() << "waited in vain; output:\n" << output();
}

void WalstormRun::wait_for_output(const std::string& text) {
  wait_until([this, text] { return output().find(text) != std::string::npos; });
}

std::string WalstormRun::output() const {
  return read_whole(folder_.path() / "output.txt");
}

std::vector<pid_t> WalstormRun::descendants(const std::string& text) const {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || pid == child_->pid()) continue;
    pid_t ancestor = parent_of(pid);
    while (ancestor > 1 && ancestor != child_->pid()) ancestor = parent_of(ancestor);
    if (ancestor != child_->pid()) continue;
    seen_.push_back(pid);
    if (read_whole(entry.path() / "cmdline").find(text) != std::string::npos) found.push_back(pid);
  }
  return found;
}

std::vector<pid_t> WalstormRun::survivors() const {
  std::vector<pid_t> alive;
  for (const pid_t pid : seen_) {
    if (parent_of(pid) != 0) alive.push_back(pid);
  }
  return alive;
}

std::optional<fs::path> WalstormRun::run_folder() const {
  std::vector<fs::path> folders;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder_.path() / "results", none))
    folders.push_back(entry.path());
  EXPECT_LE(folders.size(), 1U);
  if (folders.empty()) return std::nullopt;
  return folders.front();
}

std::string WalstormRun::read(const std::string& file) const {
  const auto folder = run_folder();
  if (!folder || !fs::exists(*folder / file)) {
    ADD_FAILURE() << "no " << file << "; output:\n" << output();
    return {};
  }
  return read_whole(*folder / file);
}

nlohmann::json WalstormRun::metrics() const {
  const std::string text = read("metrics.json");
  return text.empty() ? nlohmann::json() : nlohmann::json::parse(text);
}

std::vector<fs::path> WalstormRun::private_folders() const {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder_.path() / "tmp")) folders.push_back(entry.path());
  return folders;
}

}  // namespace walstorm::tests
