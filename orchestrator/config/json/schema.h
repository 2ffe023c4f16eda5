#pragma once

#include <string>
#include <vector>

#include "orchestrator/config/json/problem.h"

/// configs/walstorm.schema.json, which is part of the program: the single source of types, ranges, defaults.
namespace walstorm::config {

extern const char* const kSchemaText;

/// The schema, parsed once, each "$ref" replaced by what it refers to; what stands beside the "$ref"
/// (description, default) wins, as it does in editors.
[[nodiscard]] const Json& schema();

/// The JSON Schema type names of `value`, narrowest first: {"integer", "number"} for 3.
[[nodiscard]] std::vector<std::string> types_of(const Json& value);

/// The "anyOf" branch that is meant for a value of this type, or the node itself; null when no branch is.
[[nodiscard]] const Json* branch_for(const Json& node, const Json& value);

/// The node that describes `document` at `at`; null below an unknown key.
[[nodiscard]] const Json* schema_at(const Pointer& at, const Json& document);

/// Fills in the default of every key that is missing in `value`, at any depth, and leaves all else alone,
/// also what is wrong. Of an empty object this makes the built-in configuration.
void complete(const Json& node, Json& value);

/// The dotted paths of all keys that an object in a file can hold: "producer.batchSize".
[[nodiscard]] std::vector<std::string> known_paths();

}  // namespace walstorm::config
