#include "apps/command_line.hpp"

#include <cstdio>
#include <exception>
#include <new>

#include "apps/exit_codes.hpp"
#include "apps/subcommands.hpp"
#include "generated/build_info.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

std::string summary_of(std::string_view name) {
  for (const Subcommand& subcommand : kSubcommands) {
    if (subcommand.name == name) return std::string(subcommand.summary);
  }
  throw std::logic_error(std::string(name) + " is missing from apps/subcommands.hpp");
}

/// Whether a command answers a signal by what `kExitStopped` says.
bool is_stoppable(std::string_view name) {
  return name == "train" || name == "sweep" || name == "probe";
}

/// Parses; returns true when the body is to run, otherwise `exit_code` is set.
bool parse(CLI::App& app, int argc, char** argv, int& exit_code) {
  try {
    app.parse(argc, argv);
    return true;
  } catch (const CLI::Success& request) {
    // --help and --version
    exit_code = app.exit(request);
  } catch (const CLI::ParseError& error) {
    print_message(std::string(error.what()) + "; see " + app.get_name() + " --help");
    exit_code = kExitWrongUsage;
  }
  return false;
}

}  // namespace

int run_command(int argc, char** argv, const char* name,
                const std::function<void(CLI::App&)>& setup, const std::function<int()>& body) {
  try {
    CLI::App app(summary_of(name), std::string("anthill ") + name);
    app.set_version_flag("--version", std::string("anthill ") + kVersion,
                         "print the version and exit");
    app.set_help_flag("-h,--help", "print this help and exit");
    app.footer(exit_codes_help(is_stoppable(name)));
    setup(app);
    int exit_code = kExitFinished;
    return parse(app, argc, argv, exit_code) ? body() : exit_code;
  } catch (const ConfigError& error) {
    print_message(error.what());
    return kExitWrongUsage;
  } catch (const std::bad_alloc&) {
    print_message("out of memory");
  } catch (const std::exception& error) {
    // what() of some libraries carries a backtrace: the first line says what happened
    const std::string what = error.what();
    print_message(what.substr(0, what.find('\n')));
  }
  return kExitFailed;
}

void add_set_option(CLI::App& app, std::vector<std::string>& overrides) {
  app.add_option("--set", overrides,
                 "override one setting, in TOML syntax, e.g. --set training.replay_ratio=0.25; "
                 "repeatable, applied last")
      ->type_name("SECTION.KEY=VALUE")
      ->allow_extra_args(false);
}

void print_message(const std::string& message) {
  std::string line = message;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  std::fprintf(stderr, "anthill: %s\n", line.c_str());
}

}  // namespace anthill
