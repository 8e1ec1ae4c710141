// SAC against PyTorch's own modules and optimisers: the files of vectors/make_sac_vectors.py.
#define BOOST_TEST_MODULE sac_vectors
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sstream>

#include "algos/agents/sac.hpp"
#include "algos/training/safetensors.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kCritics = 2;

/// One file: settings and arrays.
class Vectors {
 public:
  explicit Vectors(const std::filesystem::path& path) : file_(read_safetensors(path)) {}

  const std::string& text(const std::string& key) const { return file_.metadata.at(key); }
  double number(const std::string& key) const { return std::stod(text(key)); }
  bool has(const std::string& name) const { return file_.arrays.contains(name); }

  Tensor array(const std::string& name) const {
    const FloatArray& found = file_.arrays.at(name);
    return at::tensor(found.values).view(found.shape);
  }

  AgentConfig config() const {
    AgentConfig config;
    config.discount = number("discount");
    config.tau = number("tau");
    config.temperature.learning_rate = number("learning_rate");
    config.temperature.loss_form =
        text("alpha_form") == "alpha" ? AlphaLossForm::alpha : AlphaLossForm::log_alpha;
    set_network(config.actor);
    set_network(config.critic);
    config.critic.dropout = number("dropout");
    if (text("log_std_form") == "tanh_affine") {
      config.actor.log_std_form = LogStdForm::tanh_affine;
      config.actor.log_std_min = -10.0;
    }
    if (text("log_prob_form") == "epsilon") config.actor.log_prob_form = LogProbForm::epsilon;
    return config;
  }

 private:
  template <class Network>
  void set_network(Network& network) const {
    std::istringstream widths(text("hidden_dims").substr(1));
    network.hidden_dims.clear();
    for (std::int64_t width = 0; widths >> width; widths.ignore()) {
      network.hidden_dims.push_back(width);
    }
    const std::string &activation = text("activation"), &norm = text("layer_norm");
    network.activation = activation == "relu"   ? Activation::relu
                         : activation == "tanh" ? Activation::tanh
                                                : Activation::elu;
    network.layer_norm = norm != "none";
    if (norm == "after_activation") {
      network.layer_norm_placement = LayerNormPlacement::after_activation;
    }
    network.residual = text("residual") == "true";
    network.learning_rate = number("learning_rate");
    network.weight_decay = number("weight_decay");
  }

  Safetensors file_;
};

/// Calls f(name in the file, the network's own part of the flat array [P]) for every parameter.
template <class F>
void for_each_part(const std::string& network, const Parameters& parameters, const Tensor& flat,
                   const F& f) {
  for (std::int64_t e = 0; e < parameters.ensemble(); ++e) {
    std::string prefix = network;
    if (network != "actor") prefix.append("_").append(std::to_string(e));
    prefix.append(".");
    for (const auto& entry : parameters.layout().entries()) {
      f(prefix + entry.name, flat[0][e].narrow(0, entry.offset, entry.size));
    }
  }
}

/// Copies the start into the model.
void load(const Vectors& vectors, const SacModel& model) {
  at::NoGradGuard no_grad;
  const auto one = [&](const std::string& network, const Parameters& parameters) {
    for_each_part(network, parameters, parameters.flat(), [&](const auto& name, const Tensor& to) {
      to.copy_(vectors.array("start." + name).flatten());
    });
  };
  one("actor", model.actor);
  one("critic", model.critic);
  one("target_critic", model.target_critic);
  model.log_alpha.fill_(vectors.array("start.log_alpha"));
}

/// ||found - expected|| / ||expected|| below `bound`; a gradient that is nothing (a bias before
/// LayerNorm) is compared with the network's largest.
void check_near(const Tensor& found, const Tensor& expected, double scale, double bound,
                const std::string& name) {
  const double norm = std::max(expected.norm().item<double>(), 1e-3 * scale);
  const double error = (found - expected).norm().item<double>() / norm;
  BOOST_TEST(error < bound, name << ": relative error " << error);
}

void check_network(const Vectors& vectors, const std::string& prefix, const std::string& network,
                   const Parameters& parameters, const Tensor& flat, double bound) {
  double scale = 0.0;
  for_each_part(network, parameters, flat, [&](const auto& name, const Tensor&) {
    scale = std::max(scale, vectors.array(prefix + name).norm().template item<double>());
  });
  BOOST_TEST(scale > 0.0);
  for_each_part(network, parameters, flat, [&](const auto& name, const Tensor& found) {
    check_near(found, vectors.array(prefix + name).flatten(), scale, bound, prefix + name);
  });
}

Batch batch_of(const Vectors& vectors) {
  const Tensor observation = vectors.array("observation"), action = vectors.array("action");
  Batch batch(1, observation.size(0), observation.size(1), action.size(1), at::kCPU);
  batch.observation[0].copy_(observation);
  batch.action[0].copy_(action);
  batch.reward[0].copy_(vectors.array("reward"));
  batch.next_observation[0].copy_(vectors.array("next_observation"));
  batch.bootstrap[0].copy_(vectors.array("bootstrap"));
  return batch;
}

SacNoise noise_of(const Vectors& vectors) {
  SacNoise noise{vectors.array("noise.next_action").unsqueeze(0),
                 vectors.array("noise.action").unsqueeze(0)};
  const auto mask = [&](const std::string& use) {
    const std::string name = "keep." + use;
    return vectors.has(name) ? vectors.array(name).unsqueeze(0).to(at::kByte) : Tensor();
  };
  noise.target_keep = mask("target");
  noise.critic_keep = mask("critic");
  noise.actor_keep = mask("actor");
  return noise;
}

/// One update as Sac::update makes it, with given noise; checks what the file knows of the first.
void update(const Vectors& vectors, const SacModel& model, SacOptimisers& optimisers,
            const Batch& batch, const SacNoise& noise, bool is_first) {
  const auto check_loss = [&](const Tensor& loss, const std::string& name) {
    if (is_first) check_near(loss[0].detach(), vectors.array(name), 0.0, 1e-5, name);
  };
  const auto check_gradient = [&](const std::string& network, const Parameters& parameters,
                                  const Tensor& gradient) {
    if (is_first) check_network(vectors, "gradient.", network, parameters, gradient, 1e-5);
    return gradient;
  };
  const Tensor critic_loss = sac_critic_loss(model, batch, noise).loss;
  check_loss(critic_loss, "critic_loss");
  optimisers.critic.step(model.critic.flat(),
                         check_gradient("critic", model.critic, model.critic.gradient(critic_loss)),
                         optimisers.target);
  const SacActorLoss actor = sac_actor_loss(model, batch, noise);
  check_loss(actor.loss, "actor_loss");
  optimisers.actor.step(model.actor.flat(),
                        check_gradient("actor", model.actor, model.actor.gradient(actor.loss)));
  const Tensor alpha_loss = sac_temperature_loss(model, actor.log_prob);
  check_loss(alpha_loss, "alpha_loss");
  const Tensor slope = torch::autograd::grad({alpha_loss.sum()}, {model.log_alpha})[0];
  if (is_first) {
    check_near(slope[0], vectors.array("gradient.log_alpha"), 0.0, 1e-5, "gradient.log_alpha");
  }
  optimisers.temperature.step(model.log_alpha, slope);
}

std::vector<std::filesystem::path> vector_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(ANTHILL_SOURCE_DIR "/tests/algos/vectors")) {
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  }
  return files;
}

}  // namespace

BOOST_AUTO_TEST_CASE(losses_gradients_and_updates_equal_pytorch) {
  BOOST_REQUIRE(vector_files().size() == 4);
  for (const std::filesystem::path& path : vector_files()) {
    BOOST_TEST_CONTEXT(path.filename().string()) {
      const Vectors vectors(path);
      const Batch batch = batch_of(vectors);
      const AgentConfig config = vectors.config();
      const SacModel model = make_sac_model(
          {config}, {batch.observation.size(2), batch.action.size(2), {1}, at::kCPU});
      BOOST_REQUIRE(model.critic.ensemble() == kCritics);
      load(vectors, model);
      SacOptimisers optimisers = make_sac_optimisers({config}, model);
      const SacNoise noise = noise_of(vectors);
      const int updates = std::stoi(vectors.text("updates"));
      for (int i = 0; i < updates; ++i) update(vectors, model, optimisers, batch, noise, i == 0);
      check_network(vectors, "end.", "actor", model.actor, model.actor.flat().detach(), 1e-4);
      check_network(vectors, "end.", "critic", model.critic, model.critic.flat().detach(), 1e-4);
      check_network(vectors, "end.", "target_critic", model.target_critic,
                    model.target_critic.flat(), 1e-4);
      check_near(model.log_alpha[0].detach(), vectors.array("end.log_alpha"), 0.0, 1e-5,
                 "log_alpha");
    }
  }
}
