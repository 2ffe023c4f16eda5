#include "orchestrator/profile/push/pyroscope.h"

#include <cctype>
#include <cmath>
#include <fmt/format.h>

#include "orchestrator/profile/stacks/folded.h"
#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

/// Fit to stand in a query.
std::string in_query(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned>(byte));
    }
  }
  return encoded;
}

/// A tag's value: what the name's own syntax needs, "{a=b,c=d}", is '_' in it.
std::string tag_value(const std::string& text) {
  std::string value = text;
  for (char& c : value) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0 ||
        std::string_view("{}=,\"").find(c) != std::string_view::npos)
      c = '_';
  }
  return value.empty() ? "_" : value;
}

std::string ingest_url(std::string url) {
  const auto query = url.find('?');
  if (query != std::string::npos) url.resize(query);
  while (url.ends_with('/')) url.pop_back();
  return url.ends_with("/ingest") ? url : url + "/ingest";
}

}  // namespace

std::vector<HttpRequest> pyroscope_requests(const std::string& url, const std::string& run,
                                            const std::string& phase, const Profile& profile,
                                            const Taken& taken) {
  std::vector<HttpRequest> requests;
  const std::int64_t from = taken.at_unix_us / 1'000'000;
  const std::int64_t until = from + std::max<std::int64_t>(1, std::llround(std::ceil(taken.duration_sec)));
  for (const std::string& target : profile.targets()) {
    Profile own;
    for (const Stack& stack : profile.stacks()) {
      if (stack.target != target || stack.kind != Kind::on_cpu) continue;
      std::vector<std::uint32_t> frames;
      for (const std::uint32_t number : stack.frames) frames.push_back(own.frame(profile.frames()[number]));
      own.add({phase, target, Kind::on_cpu}, std::move(frames), stack.broken, stack.samples, stack.ns);
    }
    if (own.empty()) continue;
    const std::string name = fmt::format("walstorm.cpu{{run={},phase={},role={}}}", tag_value(run),
                                         tag_value(phase), tag_value(target));
    HttpRequest request;
    request.method = "POST";
    request.url = fmt::format(
        "{}?name={}&from={}&until={}&format=folded&sampleRate={:.0f}&spyName=walstorm&units=samples&"
        "aggregationType=sum",
        ingest_url(url), in_query(name), from, until, taken.frequency_hz > 0 ? taken.frequency_hz : 100);
    request.content_type = "text/plain";
    request.body = folded_text(own, Kind::on_cpu);
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<std::string> push_to_pyroscope(const std::vector<HttpRequest>& requests) {
  std::vector<std::string> failures;
  for (const HttpRequest& request : requests) {
    try {
      const HttpAnswer answer = http_exchange(request);
      if (answer.status >= 200 && answer.status < 300) continue;
      failures.push_back(fmt::format("push to {}: {}", shown_url(request.url), refusal_text(answer)));
    } catch (const wire::Error& error) {
      failures.emplace_back(error.what());
    }
    return failures;  // the others would fare no better, each after its timeout
  }
  return failures;
}

}  // namespace walstorm::profile
