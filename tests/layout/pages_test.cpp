// The files that README.md and docs/ name are there.

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <string>
#include <vector>

namespace walstorm {
namespace {

namespace fs = std::filesystem;

struct Named {
  fs::path page;
  std::string name;
};

std::vector<fs::path> pages() {
  std::vector<fs::path> all{fs::path(SOURCE_DIR) / "README.md",
                            fs::path(SOURCE_DIR) / "tests/bench/README.md"};
  for (const auto& entry : fs::directory_iterator(fs::path(SOURCE_DIR) / "docs")) {
    if (entry.path().extension() == ".md") all.push_back(entry.path());
  }
  return all;
}

/// What the pattern's first group finds in the pages' text; what stands in code blocks is no text.
std::vector<Named> found_in_pages(const std::regex& pattern) {
  std::vector<Named> found;
  for (const fs::path& page : pages()) {
    std::ifstream in(page);
    bool code = false;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("```")) code = !code;
      if (code) continue;
      for (std::sregex_iterator match(line.begin(), line.end(), pattern), end; match != end; ++match)
        found.push_back({page, (*match)[1]});
    }
  }
  return found;
}

// A name without a folder is one of a run's files mostly, and what is below build/ is made.
TEST(Pages, EveryFileInBackticksIsThere) {
  const auto named =
      found_in_pages(std::regex("`([A-Za-z_.][\\w.-]*/[\\w./-]*(\\.(h|cpp|json|md|proto|yml)|/))`"));
  EXPECT_GT(named.size(), 40U);
  for (const auto& [page, name] : named) {
    if (name.starts_with("build/")) continue;
    EXPECT_TRUE(fs::exists(fs::path(SOURCE_DIR) / name)) << page.filename() << " names " << name;
  }
}

TEST(Pages, EveryLinkLeadsToAFile) {
  const auto links = found_in_pages(std::regex("\\]\\(([^)#]+)[^)]*\\)"));
  EXPECT_GT(links.size(), 10U);
  for (const auto& [page, target] : links) {
    if (target.find("://") != std::string::npos) continue;
    EXPECT_TRUE(fs::exists(page.parent_path() / target)) << page.filename() << " links to " << target;
  }
}

TEST(Pages, TheReadmeIsShort) {
  std::ifstream in(fs::path(SOURCE_DIR) / "README.md");
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line);) ++lines;
  EXPECT_LE(lines, 200U);
}

}  // namespace
}  // namespace walstorm
