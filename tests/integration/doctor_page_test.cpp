// The doctor's page in a browser without a window: opened from the file system, with no network to ask.

#include <array>
#include <cstdio>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <memory>
#include <string>

#include "orchestrator/process/program_path.h"
#include "orchestrator/profile/doctor/show/doctor_text.h"
#include "orchestrator/profile/profile_folder.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::profile::doctor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void examine(DoctorReport& report, const std::string& worker, Role role, double run_queue_share) {
  Watched watched{worker, role, "load", {}};
  for (int i = 0; i < 12; ++i) {
    Window window;
    window.from_sec = i;
    window.to_sec = i + 1;
    window.cpu_share = 0.3 + 0.02 * i;
    window.run_queue_share = i < 6 ? run_queue_share : 0.01;
    window.loop_delay_p50_ms = 0.1;
    window.loop_delay_p99_ms = 3 + i;
    window.loop_delay_max_ms = 60;
    window.rss_bytes = 40e6 + 1e5 * i;
    watched.windows.push_back(window);
  }
  Diagnosis diagnosis = diagnose(watched, report.limits);
  report.examined.push_back({std::move(watched), std::move(diagnosis)});
}

/// What the page has become when its scripts have run, and what `script` made of it. Empty: no browser is
/// here.
std::string opened(const std::string& page, const std::string& script) {
  const std::string browser = process::in_path("chromium").string();
  if (browser.empty()) return "";
  const tests::TemporaryFolder folder;
  const std::string end = "</body>";
  std::string tested = page;
  tested.replace(tested.rfind(end), end.size(), "<script>" + script + "</script></body>");
  write_file(folder.path() / "doctor.html", tested);
  const std::string command = fmt::format(
      "timeout 120 {} --headless --no-sandbox --disable-gpu --disable-dev-shm-usage "
      "--user-data-dir={}/profile "
      "--host-resolver-rules='MAP * ~NOTFOUND' --window-size=1400,1200 --virtual-time-budget=8000 --dump-dom "
      "file://{}/doctor.html 2>/dev/null",
      browser, folder.path().string(), folder.path().string());
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  std::array<char, 65536> chunk{};
  while (const std::size_t count = std::fread(chunk.data(), 1, chunk.size(), out.get()))
    text.append(chunk.data(), count);
  return text;
}

/// Of each chart, whether something is drawn in it, and the colours of a band and of none.
constexpr const char* kLook = R"(
  const drawn = Array.from(document.querySelectorAll('.chart'), (chart) => Array.from(chart.querySelectorAll('canvas')).some(
    (canvas) => canvas.width > 0 && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((v) => v !== 0)));
  document.body.dataset.drawn = drawn.filter((each) => each).length + ' of ' + drawn.length;
  const folded = document.querySelectorAll('details:not([open])');
  document.body.dataset.folded = String(folded.length);
  for (const each of folded) each.open = true;
)";

TEST(DoctorPage, DrawsItsChartsInABrowserWithoutNetwork) {
  DoctorReport report;
  examine(report, "consumer-0", Role::consumer, 0.6);
  examine(report, "producer-0", Role::producer, 0.01);
  const std::string dom = opened(doctor_page(report, "a run: doctor"), kLook);
  if (dom.empty()) GTEST_SKIP() << "no chromium here";
  // CPU, delay and memory, of each of two.
  EXPECT_THAT(dom, AllOf(HasSubstr("data-ready=\"yes\""), HasSubstr("data-drawn=\"6 of 6\""),
                         HasSubstr("data-charts=\"6\""), HasSubstr("data-folded=\"0\"")));
  EXPECT_THAT(dom,
              AllOf(HasSubstr("<title>a run: doctor</title>"), HasSubstr("consumer-0 is scheduler-starved"),
                    HasSubstr("<td>waited for a CPU</td>"), HasSubstr("limit")));
}

TEST(DoctorPage, FoldsThoseWhoAreWellWhenThereAreMany) {
  DoctorReport report;
  examine(report, "consumer-0", Role::consumer, 0.6);
  for (int i = 0; i < 5; ++i) examine(report, fmt::format("producer-{}", i), Role::producer, 0.01);
  const std::string dom = opened(doctor_page(report, "a run: doctor"), kLook);
  if (dom.empty()) GTEST_SKIP() << "no chromium here";
  EXPECT_THAT(dom, AllOf(HasSubstr("data-drawn=\"3 of 3\""), HasSubstr("data-folded=\"5\"")));
  EXPECT_THAT(dom, HasSubstr("data-charts=\"18\""));  // drawn once they are opened
}

TEST(DoctorPage, OpensWithNothingToShow) {
  const std::string dom = opened(doctor_page({}, "a run: doctor"), kLook);
  if (dom.empty()) GTEST_SKIP() << "no chromium here";
  EXPECT_THAT(dom, AllOf(HasSubstr("data-ready=\"yes\""), HasSubstr("Categories and their limits")));
}

}  // namespace
}  // namespace walstorm::profile::doctor
