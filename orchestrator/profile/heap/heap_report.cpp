#include "orchestrator/profile/heap/heap_report.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/analysis/call_site.h"
#include "orchestrator/text/format.h"
#include "orchestrator/text/markdown.h"
#include "orchestrator/text/or_null.h"

namespace walstorm::profile {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kFunctionChars = 70;
/// An allocation with its release, beyond what it costs without the profiler. Measured:
/// docs/heap-and-contention.md.
constexpr unsigned kAllocationUs = 7;

std::string signed_bytes(std::int64_t bytes) {
  return (bytes < 0 ? "−" : "+") + text::bytes_text(static_cast<std::uint64_t>(std::abs(bytes)));
}

bool has_grown(const HeapFigures& figures, const HeapLimits& limits) {
  const std::int64_t grown = figures.grown_bytes();
  return grown >= static_cast<std::int64_t>(limits.grown_bytes_min) &&
         static_cast<double>(grown) >= limits.grown_share_min * static_cast<double>(figures.begin.bytes);
}

std::string where_text(const HeapTarget& target) {
  if (target.sites.empty()) return "";
  if (!target.grew) {
    const HeapSite& most = target.sites.front();
    return fmt::format("; most of it, {}, was taken by {}", text::bytes_text(most.figures.end.bytes),
                       most.function);
  }
  const HeapSite& most = *std::max_element(
      target.sites.begin(), target.sites.end(),
      [](const auto& a, const auto& b) { return a.figures.grown_bytes() < b.figures.grown_bytes(); });
  return fmt::format("; the most, {}, by what {} has taken", signed_bytes(most.figures.grown_bytes()),
                     most.function);
}

std::string rss_text(const HeapFigures& figures) {
  if (!figures.rss_begin_bytes || !figures.rss_end_bytes) return "";
  return fmt::format("; resident: {}, then {}", text::bytes_text(*figures.rss_begin_bytes),
                     text::bytes_text(*figures.rss_end_bytes));
}

std::string growth_text(const HeapTarget& target) {
  const std::int64_t grown = target.figures.grown_bytes();
  if (target.grew) return "grew by " + text::bytes_text(static_cast<std::uint64_t>(grown));
  return grown > 0 ? "hardly grew" : "did not grow";
}

std::string conclusion_of(const HeapTarget& target) {
  return fmt::format("{}: memory in use {}: {} at the beginning, {} at the end{}{}.", target.target,
                     growth_text(target), text::bytes_text(target.figures.begin.bytes),
                     text::bytes_text(target.figures.end.bytes), where_text(target),
                     rss_text(target.figures));
}

std::vector<HeapSite> sites_of(const HeapBook& book, const HeapBook::Key& key) {
  std::map<std::pair<std::string, std::string>, HeapFigures> sums;
  for (const HeapStack& stack : book.stacks()) {
    if (std::pair(stack.phase, stack.target) != key) continue;
    const Stack as_stack{stack.phase, stack.target, Kind::in_use, stack.frames};
    const Frame site = call_site(book.frames(), as_stack);
    sums[{without_template_arguments(site.function), site.object}] += stack.figures;
  }
  std::vector<HeapSite> sites;
  sites.reserve(sums.size());
  for (const auto& [name, figures] : sums) sites.push_back({name.first, name.second, figures});
  return sites;
}

/// What counting cost is not known of this run: what an allocation cost where it was measured is.
std::string cost_text(const HeapReport& report) {
  std::uint64_t times = 0;
  for (const HeapTarget& target : report.all) times += target.figures.taken.count;
  return fmt::format(
      "Counting {} allocations cost about {} of CPU, {} µs each as docs/heap-and-contention.md measured it.",
      text::count_text(times), text::sec_text(static_cast<double>(times) * kAllocationUs / 1e6),
      kAllocationUs);
}

Json figures_json(const HeapFigures& figures) {
  return {{"beginBytes", figures.begin.bytes},   {"beginBlocks", figures.begin.count},
          {"endBytes", figures.end.bytes},       {"endBlocks", figures.end.count},
          {"grownBytes", figures.grown_bytes()}, {"takenBytes", figures.taken.bytes},
          {"takenBlocks", figures.taken.count}};
}

Json target_json(const HeapTarget& target) {
  Json json{{"phase", text::or_null(target.phase)}, {"target", target.target}};
  json.update(figures_json(target.figures));
  json["rssBeginBytes"] = text::or_null(target.figures.rss_begin_bytes);
  json["rssEndBytes"] = text::or_null(target.figures.rss_end_bytes);
  json["grew"] = target.grew;
  json["conclusion"] = target.conclusion;
  Json sites = Json::array();
  for (const HeapSite& site : target.sites) {
    Json row{{"function", site.function}, {"object", text::or_null(site.object)}, {"share", site.share}};
    row.update(figures_json(site.figures));
    sites.push_back(std::move(row));
  }
  json["sites"] = std::move(sites);
  return json;
}

Json targets_json(const std::vector<HeapTarget>& targets) {
  Json all = Json::array();
  for (const HeapTarget& target : targets) all.push_back(target_json(target));
  return all;
}

std::string site_table(const HeapTarget& target) {
  std::vector<std::vector<std::string>> rows;
  for (const HeapSite& site : target.sites) {
    const HeapFigures& figures = site.figures;
    rows.push_back({text::clipped(site.function, kFunctionChars), text::bytes_text(figures.end.bytes),
                    text::percent_text(site.share), text::count_text(figures.end.count),
                    signed_bytes(figures.grown_bytes()), text::bytes_text(figures.taken.bytes),
                    text::count_text(figures.taken.count), site.object.empty() ? "–" : site.object});
  }
  return text::markdown_table(
      {"taken by", "in use", "of all", "blocks", "grown", "taken meanwhile", "times", "of"}, rows);
}

}  // namespace

std::vector<HeapTarget> analyse_heap(const HeapBook& book, std::size_t sites_max, const HeapLimits& limits) {
  std::vector<HeapTarget> targets;
  for (const auto& [key, figures] : book.totals()) {
    HeapTarget target{key.first, key.second, figures, has_grown(figures, limits), sites_of(book, key), ""};
    for (HeapSite& site : target.sites) {
      if (figures.end.bytes > 0)
        site.share = static_cast<double>(site.figures.end.bytes) / static_cast<double>(figures.end.bytes);
    }
    std::stable_sort(target.sites.begin(), target.sites.end(),
                     [](const auto& a, const auto& b) { return a.figures.end.bytes > b.figures.end.bytes; });
    target.conclusion = conclusion_of(target);
    if (target.sites.size() > sites_max) target.sites.resize(sites_max);
    targets.push_back(std::move(target));
  }
  return targets;
}

Json heap_json(const HeapReport& report) {
  return {
      {"by", report.by},
      {"limits",
       {{"grownBytesMin", report.limits.grown_bytes_min}, {"grownShareMin", report.limits.grown_share_min}}},
      {"all", targets_json(report.all)},
      {"phases", targets_json(report.phases)}};
}

std::string heap_section(const HeapReport& report, const std::string& folder) {
  if (report.all.empty()) return "";
  std::string text = "## Heap\n\n";
  for (const HeapTarget& target : report.all) text += fmt::format("- {}\n", target.conclusion);
  text += fmt::format(
      "\nCounted by {} at each phase's beginning and end, its drain included; a heap has grown from {} and "
      "{:.0f} % on. "
      "{} Its flame graph is `{}/heap.html`, all figures are in `{}/profile.json`.\n\n",
      report.by, text::bytes_text(report.limits.grown_bytes_min), report.limits.grown_share_min * 100,
      cost_text(report), folder, folder);
  for (const HeapTarget& target : report.all)
    text += fmt::format("### Heap of {}\n\n", target.target) + site_table(target);
  if (report.phases.size() <= report.all.size()) return text;
  text += "### Heap by phase\n\n";
  for (const HeapTarget& target : report.phases)
    text += fmt::format("- **{}**: {}\n", target.phase, target.conclusion);
  return text + "\n";
}

std::vector<std::string> heap_lines(const HeapReport& report) {
  std::vector<std::string> lines;
  for (const HeapTarget& target : report.all) lines.push_back(target.conclusion);
  if (!report.all.empty()) lines.push_back(cost_text(report));
  return lines;
}

}  // namespace walstorm::profile
