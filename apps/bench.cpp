/// anthill bench: how fast the parts are on this machine.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/bench_parts.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"

namespace anthill {
namespace {

void print(const nlohmann::json& result, bool json) {
  if (json) {
    std::puts(result.dump().c_str());
    return;
  }
  for (const auto& [key, value] : result.items()) {
    std::printf("%-24s %s\n", key.c_str(),
                value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
  }
}

}  // namespace
}  // namespace anthill

int main(int argc, char** argv) {
  anthill::BenchOptions options;
  std::string part;
  bool json = false;
  return anthill::run_command(
      argc, argv, "bench",
      [&](CLI::App& app) {
        app.add_option("part", part, "env, buffer or learner")
            ->required()
            ->check(CLI::IsMember({"env", "buffer", "learner"}));
        app.add_option("--env", options.env, "task to step (env)")->capture_default_str();
        app.add_option("--num-envs", options.num_envs, "environments (env)")
            ->check(CLI::Range(1, 1000000))
            ->capture_default_str();
        app.add_option("--threads", options.num_threads,
                       "simulation threads (env, 0: all cores) or learner threads (learner)")
            ->check(CLI::Range(0, 1024))
            ->capture_default_str();
        app.add_option("--observation-dim", options.observation_dim, "(buffer, learner)")
            ->check(CLI::Range(1, 100000))
            ->capture_default_str();
        app.add_option("--action-dim", options.action_dim, "(buffer, learner)")
            ->check(CLI::Range(1, 1000))
            ->capture_default_str();
        app.add_option("--batch-size", options.batch_size, "(buffer, learner)")
            ->check(CLI::Range(1, 1000000))
            ->capture_default_str();
        app.add_option("--capacity", options.capacity, "rows in the ring (buffer)")
            ->check(CLI::Range(1, 100000000))
            ->capture_default_str();
        app.add_option("--hidden-dim", options.hidden_dim, "width of both hidden layers (learner)")
            ->check(CLI::Range(1, 65536))
            ->capture_default_str();
        app.add_flag("--layer-norm", options.layer_norm, "LayerNorm in the critics (learner)");
        app.add_option("--device", options.device, "cpu, cuda or auto (buffer, learner)")
            ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
            ->capture_default_str();
        app.add_option("--seconds", options.seconds, "time to measure for, split into chunks")
            ->check(CLI::Range(0.1, 3600.0))
            ->capture_default_str();
        app.add_flag("--json", json, "print one machine-readable object");
      },
      [&] {
        anthill::print(anthill::bench_part(part, options), json);
        return anthill::kExitFinished;
      });
}
