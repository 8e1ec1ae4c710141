// SAC's diagnostics against NumPy and SciPy: the files of vectors/make_diagnostics_vectors.py.
#define BOOST_TEST_MODULE sac_diagnostics_vectors
#include "algos/agents/sac_diagnostics.hpp"
#include "tests/algos/sac_vectors.hpp"

using namespace anthill;

BOOST_AUTO_TEST_CASE(every_diagnostic_equals_numpys) {
  const auto& names = sac_diagnostic_names();
  BOOST_REQUIRE(vector_files("diagnostics_").size() == 3);
  for (const std::filesystem::path& path : vector_files("diagnostics_")) {
    BOOST_TEST_CONTEXT(path.filename().string()) {
      const Vectors expected(path);
      const Vectors vectors(path.parent_path() / ("sac_" + expected.text("of") + ".safetensors"));
      const Batch batch = batch_of(vectors);
      const AgentConfig config = sac_config_of(vectors);
      const SacModel model = make_sac_model({config}, shape_of(batch));
      load_sac_start(vectors, model);
      {
        at::NoGradGuard no_grad;
        model.log_alpha.fill_(expected.array("log_alpha")[0]);
      }
      const Tensor rewards = expected.array("rewards");
      const Tensor found =
          sac_diagnostics(model, make_sac_optimisers({config}, model), batch, sac_noise_of(vectors),
                          {.low = rewards[0].item<float>(), .high = rewards[1].item<float>()});
      for (std::size_t k = 0; k < names.size(); ++k) {
        if (names[k].ends_with("update_ratio")) continue;  // of an update: sac_diagnostics_test
        check_near(found[static_cast<std::int64_t>(k)], expected.array(names[k]), 1.0, 1e-5,
                   names[k]);
      }
    }
  }
}
