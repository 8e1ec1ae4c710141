/// anthill sweep: many runs of one experiment, on this machine or through Slurm. Loads neither
/// LibTorch nor MuJoCo, so that it starts at once on a login node.
#include "apps/command_line.hpp"
#include "apps/sweep_commands.hpp"

int main(int argc, char** argv) {
  anthill::Chosen chosen;
  const auto setup = [&](CLI::App& app) {
    app.require_subcommand(1);
    anthill::add_expand_command(app, chosen);
    anthill::add_run_command(app, chosen);
    anthill::add_status_command(app, chosen);
    anthill::add_collect_command(app, chosen);
    anthill::add_resume_command(app, chosen);
    anthill::add_submit_command(app, chosen);
    anthill::add_cancel_command(app, chosen);
    anthill::add_task_command(app, chosen);
  };
  return anthill::run_command(argc, argv, "sweep", setup, [&] { return chosen(); });
}
