#pragma once

#include "orchestrator/config/json/problem.h"

namespace walstorm::config {

/// Replaces what is secret in every string of a document, however deep, and the strings under keys that name
/// a secret (secrets.h).
void hide_secrets_in(Json& document);

}  // namespace walstorm::config
