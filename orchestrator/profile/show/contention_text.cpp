#include "orchestrator/profile/show/contention_text.h"

#include <algorithm>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "orchestrator/text/format.h"
#include "orchestrator/text/markdown.h"
#include "orchestrator/text/or_null.h"

namespace walstorm::profile {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kSiteChars = 70;

double in_seconds(std::uint64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

Json targets_json(const std::vector<LockWaits>& targets) {
  Json all = Json::array();
  for (const LockWaits& target : targets) {
    Json sites = Json::array();
    for (const LockSite& site : target.sites) {
      sites.push_back({{"function", site.function},
                       {"object", text::or_null(site.object)},
                       {"waits", site.count},
                       {"sec", in_seconds(site.ns)},
                       {"shareOfWall", site.share}});
    }
    all.push_back({{"target", target.target},
                   {"wallSec", in_seconds(target.wall_ns)},
                   {"offCpuSec", in_seconds(target.off_cpu_ns)},
                   {"waits", target.waits},
                   {"lockSec", in_seconds(target.lock_ns)},
                   {"lockWaits", target.lock_waits},
                   {"conclusion", target.conclusion},
                   {"sites", std::move(sites)}});
  }
  return all;
}

std::string site_table(const LockWaits& target) {
  std::vector<std::vector<std::string>> rows;
  for (const LockSite& site : target.sites) {
    rows.push_back({text::clipped(site.function, kSiteChars), text::percent_text(site.share),
                    text::sec_text(in_seconds(site.ns)), text::count_text(site.count),
                    site.object.empty() ? "–" : site.object});
  }
  return text::markdown_table({"waits for a lock in", "of wall time", "time", "waits sampled", "of"}, rows);
}

}  // namespace

Json contention_json(const ContentionReport& report) {
  Json phases = Json::array();
  for (const auto& [phase, targets] : report.phases)
    phases.push_back({{"phase", phase}, {"targets", targets_json(targets)}});
  return {{"all", targets_json(report.all)}, {"phases", std::move(phases)}};
}

std::string contention_section(const ContentionReport& report, const std::string& folder) {
  if (report.all.empty()) return "";
  std::string text = "## Contention\n\n";
  for (const LockWaits& target : report.all) text += fmt::format("- {}\n", target.conclusion);
  text += fmt::format(
      "\nWaiting in a futex, a semaphore or a lock of the kernel's counts; threads that hardly ran beside "
      "the others of "
      "their target are left out: they wait for work. All figures are in `{}/profile.json`.",
      folder);
  const bool any = std::any_of(report.all.begin(), report.all.end(),
                               [](const LockWaits& target) { return !target.sites.empty(); });
  if (!any) return text + "\n\n";
  text += fmt::format(" The flame graph of these waits is `{}/contention.html`.\n\n", folder);
  for (const LockWaits& target : report.all) {
    if (!target.sites.empty())
      text += fmt::format("### Contention of {}\n\n", target.target) + site_table(target);
  }
  return text;
}

std::vector<std::string> contention_lines(const ContentionReport& report) {
  std::vector<std::string> lines;
  for (const LockWaits& target : report.all) lines.push_back(target.conclusion);
  return lines;
}

}  // namespace walstorm::profile
