#if defined(__GNUC__) && !defined(__clang__)
// g++ 12, when it optimises, misreads std::regex (GCC bug 105562) and joined strings (105651), both of which
// valijson has in its headers. Before the includes, as the places that it complains about are in them.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wrestrict"
#endif

#include "orchestrator/config/json/schema_check.h"

#include <memory>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "orchestrator/config/json/schema.h"

namespace walstorm::config {
namespace {

using valijson::adapters::NlohmannJsonAdapter;

std::unique_ptr<valijson::Schema> compile(const Json& text) {
  auto compiled = std::make_unique<valijson::Schema>();
  valijson::SchemaParser(valijson::SchemaParser::kDraft7)
      .populateSchema(NlohmannJsonAdapter(text), *compiled);
  return compiled;
}

bool validate(const valijson::Schema& compiled, const Json& value, valijson::ValidationResults* results) {
  static valijson::Validator validator;  // remembers compiled patterns
  return validator.validate(compiled, NlohmannJsonAdapter(value), results);
}

/// {"<root>", "[phases]", "[2]"} -> /phases/2
Pointer pointer_of(const std::vector<std::string>& context) {
  Pointer at;
  for (const std::string& step : context) {
    if (step.starts_with('[')) at.push_back(step.substr(1, step.size() - 2));
  }
  return at;
}

}  // namespace

std::vector<Violation> violations_of(const Json& document) {
  static const std::unique_ptr<valijson::Schema> compiled = compile(schema());
  valijson::ValidationResults results;
  validate(*compiled, document, &results);
  std::vector<Violation> violations;
  for (const auto& error : results) violations.push_back({pointer_of(error.context), error.description});
  return violations;
}

bool matches(const Json& text, const Json& pattern) {
  return validate(*compile({{"pattern", pattern}}), text, nullptr);
}

}  // namespace walstorm::config
