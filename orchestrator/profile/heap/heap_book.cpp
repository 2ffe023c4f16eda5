#include "orchestrator/profile/heap/heap_book.h"

#include <algorithm>
#include <ranges>
#include <tuple>
#include <utility>

#include "orchestrator/profile/preload/symbols.h"
#include "orchestrator/profile/stacks/perf_script.h"

namespace walstorm::profile {
namespace {

std::uint64_t less(std::uint64_t from, std::uint64_t what) {
  return from > what ? from - what : 0;
}

Blocks meanwhile(const Blocks& begin, const Blocks& end) {
  return {less(end.count, begin.count), less(end.bytes, begin.bytes)};
}

std::optional<std::uint64_t> sum(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b) {
  return a && b ? std::optional(*a + *b) : std::nullopt;
}

/// Return addresses, innermost first, as frames: the outermost first.
std::vector<Frame> named(Symbols& symbols, const std::vector<std::uint64_t>& addresses) {
  std::vector<Frame> frames;
  frames.reserve(addresses.size());
  for (const std::uint64_t address : std::views::reverse(addresses))
    frames.push_back(symbols.at(address - 1));
  return frames;
}

}  // namespace

HeapFigures& HeapFigures::operator+=(const HeapFigures& more) {
  begin += more.begin, end += more.end, taken += more.taken;
  rss_begin_bytes = sum(rss_begin_bytes, more.rss_begin_bytes);
  rss_end_bytes = sum(rss_end_bytes, more.rss_end_bytes);
  return *this;
}

void HeapBook::add(const std::string& phase, const std::string& target, const HeapDump& begin,
                   const HeapDump& end, std::optional<std::uint64_t> rss_begin_bytes,
                   std::optional<std::uint64_t> rss_end_bytes) {
  const HeapFigures all{begin.in_use, end.in_use, meanwhile(begin.taken, end.taken), rss_begin_bytes,
                        rss_end_bytes};
  if (const auto [total, is_new] = totals_.try_emplace({phase, target}, all); !is_new) total->second += all;
  std::map<std::vector<std::uint64_t>, std::pair<const HeapDump::Stack*, const HeapDump::Stack*>> sides;
  for (const HeapDump::Stack& stack : begin.stacks) sides[stack.addresses].first = &stack;
  for (const HeapDump::Stack& stack : end.stacks) sides[stack.addresses].second = &stack;
  Symbols symbols(end.maps);
  static const HeapDump::Stack kNothing;
  for (const auto& [addresses, side] : sides) {
    const HeapDump::Stack& first = side.first != nullptr ? *side.first : kNothing;
    const HeapDump::Stack& last = side.second != nullptr ? *side.second : kNothing;
    const HeapFigures figures{first.in_use, last.in_use, meanwhile(first.taken, last.taken), {}, {}};
    if (figures.begin.bytes + figures.end.bytes + figures.taken.bytes == 0) continue;
    const std::vector<Frame> frames = named(symbols, addresses);
    std::vector<std::uint32_t> numbers = frames_.numbers_of(frames);
    const auto [place, is_new] = places_.try_emplace({phase, target, numbers}, stacks_.size());
    if (is_new) {
      stacks_.push_back({phase, target, std::move(numbers), is_broken(frames), figures});
    } else {
      stacks_[place->second].figures += figures;
    }
  }
}

Profile HeapBook::profile() const {
  Profile profile;
  for (const HeapStack& stack : stacks_) {
    const auto add = [&](Kind kind, const Blocks& blocks) {
      if (blocks.bytes == 0) return;
      std::vector<std::uint32_t> numbers;
      for (const std::uint32_t number : stack.frames)
        numbers.push_back(profile.frame(frames_.frames()[number]));
      profile.add({stack.phase, stack.target, kind}, std::move(numbers), stack.broken, blocks.count,
                  blocks.bytes);
    };
    add(Kind::in_use, stack.figures.end);
    add(Kind::grown, meanwhile(stack.figures.begin, stack.figures.end));
    add(Kind::taken, stack.figures.taken);
  }
  return profile;
}

}  // namespace walstorm::profile
