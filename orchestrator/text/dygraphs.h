#pragma once

namespace walstorm::text {

/// The chart library of the pages that a run leaves (dygraphs, MIT), from Debian's libjs-dygraphs: CMake
/// embeds it, and nothing of it is kept here. For a <script> and a <style> of a page.
extern const char* const kDygraphsScript;
extern const char* const kDygraphsStyle;

}  // namespace walstorm::text
