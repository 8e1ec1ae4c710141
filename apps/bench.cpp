/// anthill bench: how fast the parts are on this machine.
#include "apps/bench_parts.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"

int main(int argc, char** argv) {
  using namespace anthill;
  struct Part {
    const char* name;
    const char* summary;
    BenchRun (*add)(CLI::App&);
    CLI::App* parser = nullptr;
    BenchRun run = {};
  };
  Part parts[] = {
      {"env", "environments, stepped with uniform random actions", add_bench_env},
      {"buffer", "batches drawn from a full replay buffer", add_bench_buffer},
      {"learner", "gradient updates on a filled replay buffer", add_bench_learner},
      {"agents", "gradient updates with the settings of configuration files", add_bench_agents},
      {"checkpoint", "what saving a run costs", add_bench_checkpoint},
      {"train", "a whole training run: acting, stepping, storing and learning", add_bench_train},
  };
  return run_command(
      argc, argv, "bench",
      [&](CLI::App& app) {
        app.require_subcommand(1);
        for (Part& part : parts) {
          part.parser = app.add_subcommand(part.name, part.summary);
          part.run = part.add(*part.parser);
        }
      },
      [&] {
        for (const Part& part : parts) {
          if (part.parser->parsed()) part.run();
        }
        return kExitFinished;
      });
}
