/// The front command: `anthill SUB ARGS` becomes `anthill-SUB ARGS`, an executable beside this one,
/// so that no subcommand loads libraries that only another one needs.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "apps/exit_codes.hpp"
#include "apps/subcommands.hpp"
#include "generated/build_info.hpp"
#include "sim/nearest_name.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

int wrong_usage(const std::string& message) {
  std::fprintf(stderr, "anthill: %s\n", message.c_str());
  return kExitWrongUsage;
}

fs::path executable_of(const fs::path& folder, std::string_view subcommand) {
  return folder / ("anthill-" + std::string(subcommand));
}

/// "did you mean 'train'? ", or nothing when no name is near.
std::string suggestion(std::string_view word) {
  std::vector<std::string> names;
  for (const Subcommand& subcommand : kSubcommands) names.emplace_back(subcommand.name);
  const std::string nearest = nearest_name(word, names);
  return nearest.empty() ? "" : "did you mean '" + nearest + "'? ";
}

int print_help(const fs::path& folder) {
  std::printf(
      "Reinforcement learning on hundreds of simulated environments at once\n"
      "Usage: anthill SUBCOMMAND [ARGUMENTS]\n"
      "       anthill help SUBCOMMAND\n"
      "\n"
      "Subcommands:\n");
  for (const auto& [name, summary] : kSubcommands) {
    const bool built = ::access(executable_of(folder, name).c_str(), X_OK) == 0;
    std::printf("  %-10.*s%.*s%s\n", static_cast<int>(name.size()), name.data(),
                static_cast<int>(summary.size()), summary.data(), built ? "" : " (not built)");
  }
  std::printf(
      "\n"
      "Options:\n"
      "  --version   print the version and exit\n"
      "  -h,--help   print this help and exit\n"
      "\n"
      "%s",
      exit_codes_help().c_str());
  return kExitFinished;
}

/// Becomes anthill-NAME; returns only on failure.
int run_subcommand(const fs::path& folder, const char* name, std::vector<char*> arguments) {
  const auto known = std::find_if(kSubcommands.begin(), kSubcommands.end(),
                                  [name](const Subcommand& entry) { return entry.name == name; });
  if (known == kSubcommands.end()) {
    return wrong_usage("no subcommand '" + std::string(name) + "'; " + suggestion(name) +
                       "anthill --help lists all");
  }
  std::string executable = executable_of(folder, name).string();
  arguments.insert(arguments.begin(), executable.data());
  arguments.push_back(nullptr);
  ::execv(executable.c_str(), arguments.data());
  const int error = errno;
  const std::string hint = error == ENOENT ? "; build the target anthill-" + std::string(name) : "";
  std::fprintf(stderr, "anthill: cannot run %s: %s%s\n", executable.c_str(), std::strerror(error),
               hint.c_str());
  return kExitFailed;
}

int run(const std::vector<char*>& arguments) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) {
    std::fprintf(stderr, "anthill: cannot read /proc/self/exe (%s); is /proc mounted?\n",
                 error.message().c_str());
    return kExitFailed;
  }
  const fs::path folder = self.parent_path();
  if (arguments.empty()) {
    return wrong_usage("no subcommand given; anthill --help lists all");
  }
  const std::string_view first = arguments[0];
  if (first == "--version") {
    std::printf("anthill %s\n", kVersion);
    return kExitFinished;
  }
  const bool help = first == "help" || first == "--help" || first == "-h";
  if (help && arguments.size() == 1) return print_help(folder);
  if (help) {
    char option[] = "--help";
    return run_subcommand(folder, arguments[1], {option});
  }
  if (first.starts_with('-')) {
    return wrong_usage("no option " + std::string(first) +
                       " before a subcommand; see anthill --help");
  }
  return run_subcommand(folder, arguments[0], {arguments.begin() + 1, arguments.end()});
}

}  // namespace
}  // namespace anthill

int main(int argc, char** argv) {
  return anthill::run(std::vector<char*>(argv + std::min(argc, 1), argv + argc));
}
