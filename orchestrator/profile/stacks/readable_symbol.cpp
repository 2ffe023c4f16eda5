#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <cxxabi.h>
#include <memory>
#include <string>
#include <string_view>

#include "orchestrator/profile/stacks/perf_script.h"

namespace walstorm::profile {
namespace {

/// Template arguments beyond this are "…": a std::function's are a page long.
constexpr std::size_t kTemplateCharsMax = 40;

std::string demangled(std::string_view symbol) {
  if (!symbol.starts_with("_Z")) return std::string(symbol);
  int status = 0;
  const std::string mangled(symbol);
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 && name ? std::string(name.get()) : mangled;
}

/// Where the bracket that opens at `open` closes; npos when it does not.
std::size_t closing(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t at = open; at < text.size(); ++at) {
    const char c = text[at];
    const bool arrow = c == '>' && at > 0 && text[at - 1] == '-';
    if (c == '<' || c == '(' || c == '{' || c == '[') ++depth;
    if ((c == '>' && !arrow) || c == ')' || c == '}' || c == ']') {
      if (--depth == 0) return at;
    }
  }
  return std::string_view::npos;
}

/// "<", "<<", "<=" and "()" of operators are no brackets.
std::size_t operator_end(std::string_view text, std::size_t at) {
  constexpr std::string_view kOperator = "operator";
  if (!text.substr(at).starts_with(kOperator)) return at;
  std::size_t end = at + kOperator.size();
  if (text.substr(end).starts_with("()")) return end + 2;
  while (end < text.size() && std::string_view("<>=!+-*/%&|^~").find(text[end]) != std::string_view::npos)
    ++end;
  return end;
}

/// What of long template arguments names somebody: the function of ours that made the lambda.
std::string abbreviated(std::string_view arguments) {
  constexpr std::string_view kOurs = "walstorm::";
  for (std::size_t at = arguments.find(kOurs); at != std::string_view::npos;
       at = arguments.find(kOurs, at + 1)) {
    std::size_t end = at;
    while (end < arguments.size() &&
           (std::isalnum(static_cast<unsigned char>(arguments[end])) != 0 || arguments[end] == '_' ||
            arguments[end] == ':' || arguments[end] == '~')) {
      ++end;
    }
    if (end < arguments.size() && arguments[end] == '(')
      return "<…" + std::string(arguments.substr(at, end - at)) + "…>";
  }
  return "<…>";
}

}  // namespace

std::string readable_symbol(std::string_view raw) {
  const std::string whole = demangled(raw);
  std::string_view symbol = whole;
  std::string text;
  for (std::size_t at = 0; at < symbol.size();) {
    if (const std::size_t end = operator_end(symbol, at); end > at) {
      text += symbol.substr(at, end - at);
      at = end;
      continue;
    }
    const char c = symbol[at];
    const std::size_t end =
        c == '<' || c == '(' || (c == '[' && at > 0) ? closing(symbol, at) : std::string_view::npos;
    if (end == std::string_view::npos) {
      text += c;
      ++at;
      continue;
    }
    const std::string_view inner = symbol.substr(at, end - at + 1);
    if (inner == "(anonymous namespace)") {
      text += inner;
    } else if (c == '<') {
      text += inner.size() <= kTemplateCharsMax ? std::string(inner) : abbreviated(inner);
    }  // arguments and ABI tags are left out
    at = end + 1;
  }
  // "foo@@GLIBC_2.34", "foo const", "foo.isra.0" of a compiler's copy.
  if (const auto version = text.find('@'); version != std::string::npos && version > 0) text.resize(version);
  if (text.ends_with(" const")) text.resize(text.size() - 6);
  return text.empty() ? whole : text;
}

}  // namespace walstorm::profile
