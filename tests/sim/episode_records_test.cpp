// What a VectorEnv reports of episodes, and of its own making: also run under ThreadSanitizer.
#define BOOST_TEST_MODULE sim_episode_records
#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "tests/sim/counter.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

BOOST_AUTO_TEST_CASE(reward_terms_are_summed_over_each_episode) {
  Counters counters(3, 3);
  counters.step({1, 1, 1});
  const std::vector<double> saved(counters.envs.state().begin(), counters.envs.state().end());
  for (int i = 0; i < 2; ++i) {  // once more from the same rows: the sums so far are in them
    counters.envs.restore(saved);
    counters.step({1, kNan, -1});
    BOOST_REQUIRE(counters.envs.finished_episodes().size() == 1);
    // an invalid step adds nothing
    BOOST_TEST(counters.envs.finished_episodes()[0].term_sums == (std::vector<double>{1, 2}),
               tt::per_element());
    counters.step({1, 4, 0});
    BOOST_REQUIRE(counters.envs.finished_episodes().size() == 2);
    for (const EpisodeRecord& record : counters.envs.finished_episodes()) {
      BOOST_REQUIRE(record.term_sums.size() == 2u);
      BOOST_TEST(record.term_sums[0] == record.episode_return);
      BOOST_TEST(record.term_sums[1] == 2 * record.episode_return);
    }
    BOOST_TEST(counters.envs.finished_episodes()[0].episode_return == 6);
    BOOST_TEST(counters.envs.finished_episodes()[1].episode_return == 1);
  }
}

BOOST_AUTO_TEST_CASE(a_workspace_that_cannot_be_made_is_reported) {
  class Broken final : public Env {
   public:
    const EnvSpec& spec() const override { return spec_; }
    std::unique_ptr<Workspace> make_workspace() const override {
      throw std::runtime_error("no memory for a workspace");
    }
    void reset(Workspace&, NumpyGenerator&, std::span<double>, std::span<double>) const override {}
    StepResult step(Workspace&, NumpyGenerator&, std::span<double>, std::span<const float>,
                    std::span<double>, std::span<double>) const override {
      return {};
    }

   private:
    EnvSpec spec_;
  };
  ThreadPool pool(3);
  BOOST_CHECK_THROW(VectorEnv(std::make_shared<Broken>(), seeds_from(0, 4), pool),
                    std::runtime_error);
  int sum = 0;
  pool.run([](void* context, std::int64_t, int) { ++*static_cast<int*>(context); }, &sum, 1);
  BOOST_TEST(sum == 1);  // the pool is free again
}
