#include "orchestrator/profile/preload/heap_dump.h"

#include <charconv>
#include <optional>

#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

constexpr std::string_view kHead = "heap profile:";
constexpr std::string_view kMaps = "MAPPED_LIBRARIES:";

/// Takes a line off the text; without its end.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// Passes over blanks and these marks, and takes the number behind them.
std::optional<std::uint64_t> take_number(std::string_view& line, int base = 10) {
  while (!line.empty() && std::string_view(" :[]").find(line.front()) != std::string_view::npos)
    line.remove_prefix(1);
  if (base == 16 && line.starts_with("0x")) line.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value, base);
  if (error != std::errc()) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  return value;
}

/// "   12:    3456 [    78:    90123] @ 0x1 0x2": blocks and bytes in use, and taken.
std::optional<HeapDump::Stack> stack_of(std::string_view line) {
  HeapDump::Stack stack;
  for (std::uint64_t* figure :
       {&stack.in_use.count, &stack.in_use.bytes, &stack.taken.count, &stack.taken.bytes}) {
    const auto number = take_number(line);
    if (!number) return std::nullopt;
    *figure = *number;
  }
  const auto at = line.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + 1);
  while (const auto address = take_number(line, 16)) stack.addresses.push_back(*address);
  return stack;
}

}  // namespace

HeapDump read_heap_dump(std::string_view text) {
  using wire::Error;
  using wire::ErrorKind;
  std::string_view head = take_line(text);
  if (!head.starts_with(kHead)) throw Error(ErrorKind::data, "this is no heap profile of gperftools'");
  head.remove_prefix(kHead.size());
  HeapDump dump;
  if (const auto all = stack_of(head)) {
    dump.in_use = all->in_use;
    dump.taken = all->taken;
  }
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with(kMaps)) {
      dump.maps = std::string(text);
      break;
    }
    if (auto stack = stack_of(line)) dump.stacks.push_back(std::move(*stack));
  }
  if (dump.maps.empty()) throw Error(ErrorKind::data, "a heap profile of gperftools' breaks off");
  return dump;
}

}  // namespace walstorm::profile
