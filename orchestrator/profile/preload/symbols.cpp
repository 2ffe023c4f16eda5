#include "orchestrator/profile/preload/symbols.h"

#include <cstdio>
#include <elfutils/libdwfl.h>

#include "orchestrator/profile/stacks/perf_script.h"

namespace walstorm::profile {

/// libdw's session. Its callbacks' search path stays as long.
struct Symbols::Modules {
  explicit Modules(const std::string& maps) {
    callbacks.find_elf = dwfl_linux_proc_find_elf;
    callbacks.find_debuginfo = dwfl_standard_find_debuginfo;
    callbacks.section_address = dwfl_offline_section_address;
    callbacks.debuginfo_path = &debug_path;
    session = dwfl_begin(&callbacks);
    std::string text = maps;  // fmemopen() takes no const
    std::FILE* file = text.empty() ? nullptr : ::fmemopen(text.data(), text.size(), "r");
    if (session == nullptr || file == nullptr) return;
    dwfl_report_begin(session);
    dwfl_linux_proc_maps_report(session, file);
    dwfl_report_end(session, nullptr, nullptr);
    std::fclose(file);
  }
  Modules(const Modules&) = delete;
  Modules& operator=(const Modules&) = delete;
  ~Modules() {
    if (session != nullptr) dwfl_end(session);
  }

  Dwfl_Callbacks callbacks{};
  char* debug_path = nullptr;  // libdw's own: /usr/lib/debug
  Dwfl* session = nullptr;
};

Symbols::Symbols(const std::string& maps) : modules_(std::make_unique<Modules>(maps)) {}

Symbols::~Symbols() = default;

const Frame& Symbols::at(std::uint64_t address) {
  const auto [found, is_new] = found_.try_emplace(address);
  if (is_new) found->second = look_up(address);
  return found->second;
}

Frame Symbols::look_up(std::uint64_t address) const {
  Frame frame{std::string(kUnknown), "", false};
  Dwfl_Module* module = modules_->session == nullptr ? nullptr : dwfl_addrmodule(modules_->session, address);
  if (module == nullptr) return frame;
  const char* file = nullptr;
  const char* name = dwfl_module_info(module, nullptr, nullptr, nullptr, nullptr, nullptr, &file, nullptr);
  const std::string path = file != nullptr ? file : name != nullptr ? name : "";
  frame.object = path.substr(path.rfind('/') + 1);
  GElf_Off offset = 0;
  GElf_Sym symbol{};
  const char* function = dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
  if (function != nullptr) frame.function = readable_symbol(function);
  return frame;
}

}  // namespace walstorm::profile
