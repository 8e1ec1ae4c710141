/// anthill config: a configuration as it will run, or the documentation of every key.
#include <cstdio>
#include <string>
#include <vector>

#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "configs/experiment.hpp"
#include "sim/env_factory.hpp"

int main(int argc, char** argv) {
  std::string path;
  std::vector<std::string> overrides;
  bool reference = false;
  const auto setup = [&](CLI::App& app) {
    app.add_option("CONFIG", path, "configuration file (TOML)");
    anthill::add_set_option(app, overrides);
    app.add_flag("--reference", reference, "print every key with its default and meaning instead");
  };
  const auto body = [&]() -> int {
    if (reference != path.empty()) {
      anthill::print_message(
          "config takes a configuration file or --reference; see anthill config --help");
      return anthill::kExitWrongUsage;
    }
    if (reference) {
      std::fputs(anthill::reference_toml().c_str(), stdout);
      return anthill::kExitFinished;
    }
    const anthill::ResolvedExperiment experiment = anthill::read_experiment(path, overrides);
    // the run may happen on another machine: no word about this one's cores
    for (const std::string& warning : anthill::check_experiment(experiment, 0)) {
      anthill::print_message("warning: " + warning);
    }
    anthill::make_env(experiment.config.sim);  // an unknown task or a missing model is found here
    std::fputs(anthill::write_experiment(experiment, true).c_str(), stdout);
    return anthill::kExitFinished;
  };
  return anthill::run_command(argc, argv, "config", setup, body);
}
