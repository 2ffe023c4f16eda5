#include "orchestrator/config/json/shown_json.h"

#include <string>

#include "orchestrator/config/json/secrets.h"

namespace walstorm::config {

void hide_secrets_in(Json& document) {
  if (document.is_string()) document = without_secrets(document.get<std::string>());
  if (document.is_array()) {
    for (Json& child : document) hide_secrets_in(child);
  }
  if (!document.is_object()) return;
  for (auto child = document.begin(); child != document.end(); ++child) {
    if (child->is_string() && names_a_secret(child.key())) {
      *child = "***";
    } else {
      hide_secrets_in(*child);
    }
  }
}

}  // namespace walstorm::config
