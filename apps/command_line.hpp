/// What the main function of every subcommand shares: parsing, --help, --version, error lines and
/// exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace anthill {

/// Parses the arguments of `anthill NAME` and runs `body`; returns the exit code for main.
///
/// `name` is one of kSubcommands (its summary heads the help). `setup` adds options to the parser;
/// `body` runs once they are parsed and checked, and returns an ExitCode. What either throws
/// becomes a line `anthill: ...` on stderr: ConfigError and wrong arguments exit with
/// kExitWrongUsage, every other exception with kExitFailed.
int run_command(int argc, char** argv, const char* name,
                const std::function<void(CLI::App&)>& setup, const std::function<int()>& body);

/// Adds the repeatable `--set section.key=value` that fills `overrides` for read_experiment().
void add_set_option(CLI::App& app, std::vector<std::string>& overrides);

/// Writes `anthill: message` as one line on stderr (line breaks become spaces), for errors and
/// warnings.
void print_message(const std::string& message);

}  // namespace anthill
