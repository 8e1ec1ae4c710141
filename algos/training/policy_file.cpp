#include "algos/training/policy_file.hpp"

#include <vector>

#include "algos/training/safetensors.hpp"
#include "sim/errors.hpp"

namespace anthill {

void save_policy(const std::filesystem::path& path, const Agent& agent, std::int64_t member,
                 const std::map<std::string, std::string>& metadata) {
  std::vector<Tensor> host;  // keeps the copies alive until they are written
  std::vector<FloatArrayView> arrays;
  for (const NamedTensor& named : agent.parameters()) {
    host.push_back(named.tensor.narrow(0, member, 1).to(at::kCPU).contiguous());
    arrays.push_back({named.name, host.back().sizes().vec(), host.back().data_ptr<float>()});
  }
  write_safetensors(path, arrays, metadata);
}

void load_policy(const std::filesystem::path& path, Agent& agent) {
  const Safetensors file = read_safetensors(path);
  at::NoGradGuard no_grad;
  const std::vector<NamedTensor> parameters = agent.parameters();
  for (const NamedTensor& named : parameters) {
    const auto found = file.arrays.find(named.name);
    if (found == file.arrays.end() || found->second.shape != named.tensor.sizes().vec()) {
      throw ConfigError(path.string() + ": array '" + named.name +
                        "' is missing or has another shape than the configuration asks; use the "
                        "run's own resolved.toml");
    }
    const Tensor source = at::from_blob(const_cast<float*>(found->second.values.data()),
                                        named.tensor.sizes(), at::kFloat);
    named.tensor.copy_(source);
  }
  if (file.arrays.size() != parameters.size()) {
    throw ConfigError(path.string() +
                      ": holds arrays that this configuration does not have; use "
                      "the run's own resolved.toml");
  }
}

}  // namespace anthill
