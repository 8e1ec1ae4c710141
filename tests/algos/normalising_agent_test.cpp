// Observation normalisation: the statistics against their definition, and every algorithm on raw
// observations against itself on observations that were normalised by hand.
#define BOOST_TEST_MODULE normalising_agent
#include "algos/agents/normalising_agent.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>

#include "tests/algos/wave_batch.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kMembers = 2, kObservation = 4, kAction = 2, kRows = 16;

/// Observations [M*N, D] whose dimensions have other means and sizes; the last one never varies.
std::vector<float> observations(std::int64_t num_envs, int step) {
  std::vector<float> rows;
  for (std::int64_t lane = 0; lane < kMembers * num_envs; ++lane) {
    const double x = std::sin(1.7 * static_cast<double>(lane) + 0.9 * step);
    const auto member = static_cast<double>(lane / num_envs);
    for (const double value : {x + member, 1e4 + 0.01 * x * x, 300.0 * x - 20.0, 5.0}) {
      rows.push_back(static_cast<float>(value));
    }
  }
  return rows;
}

AgentShape shape_of(const std::string& algorithm) {
  return {kObservation, kAction, {3, 4}, at::kCPU, algorithm == "dqn" ? 3 : 0};
}

std::vector<AgentConfig> configs(const std::string& algorithm, bool normalisation) {
  AgentConfig config;
  config.algorithm = algorithm;
  config.actor.hidden_dims = config.critic.hidden_dims = {16, 16};
  config.observation_normalisation = normalisation;
  return {config, config};
}

Batch raw_batch(bool discrete) {
  Batch batch = wave_batch(kMembers, kRows, kObservation, kAction, discrete);
  for (Tensor* t : {&batch.observation, &batch.next_observation}) {
    t->copy_(*t * at::tensor({2.0f, 0.02f, 200.0f, 0.0f}) + at::tensor({0.0f, 1e4f, 0.0f, 5.0f}));
  }
  return batch;
}

/// clip((s - mean) / sqrt(variance + 1e-8), -10, 10) from all rows [M, N, D] that were observed.
Tensor by_hand(const Tensor& s, const Tensor& seen) {
  const Tensor rows = seen.to(at::kDouble), mean = rows.mean(1, true);
  const Tensor variance = (rows - mean).square().mean(1, true);
  const Tensor inverse_std = (variance + 1e-8).rsqrt();
  return ((s - mean.to(at::kFloat)) * inverse_std.to(at::kFloat)).clamp(-10.0, 10.0);
}

Tensor rows_of(std::vector<float>& flat, std::int64_t num_envs) {
  return at::from_blob(flat.data(), {kMembers, num_envs, kObservation}, at::kFloat).clone();
}

bool same_networks(const Agent& with, const Agent& without) {
  std::map<std::string, Tensor> named;
  for (const NamedTensor& p : with.parameters()) named[p.name] = p.tensor;
  for (const NamedTensor& p : without.parameters()) {
    if (!at::allclose(named.at(p.name), p.tensor, 1e-4, 1e-6)) return false;
  }
  return named.size() == without.parameters().size() + 2;
}

}  // namespace

BOOST_AUTO_TEST_CASE(statistics_are_those_of_all_rows_in_whatever_batches_they_came) {
  ObservationStatistics statistics(kMembers, kObservation);
  for (const double inverse : statistics.inverse_std()) BOOST_TEST(inverse == 1.0);
  std::vector<Tensor> all;
  const std::int64_t widths[] = {1, 1, 7, 256, 2};
  for (int step = 0; step < 5; ++step) {
    std::vector<float> rows = observations(widths[step], step);
    statistics.add(rows);
    all.push_back(rows_of(rows, widths[step]).to(at::kDouble));
  }
  const Tensor seen = at::cat(all, 1), mean = seen.mean(1);
  const Tensor variance = (seen - mean.unsqueeze(1)).square().mean(1);
  BOOST_TEST(statistics.count() == seen.size(1));
  const std::span<const double> inverse = statistics.inverse_std();
  for (std::int64_t k = 0; k < kMembers * kObservation; ++k) {
    const auto at = static_cast<std::size_t>(k);
    BOOST_TEST(statistics.mean()[at] == mean.view(-1)[k].item<double>(),
               boost::test_tools::tolerance(1e-12));
    BOOST_TEST(inverse[at] == 1.0 / std::sqrt(variance.view(-1)[k].item<double>() + 1e-8),
               boost::test_tools::tolerance(1e-9));
  }
}

BOOST_AUTO_TEST_CASE(an_agent_sees_what_is_normalised_by_hand) {
  for (const std::string algorithm : {"sac", "td3", "ddpg", "dqn"}) {
    BOOST_TEST_CONTEXT(algorithm) {
      const AgentShape shape = shape_of(algorithm);
      const auto with = make_agent(configs(algorithm, true), shape);
      const auto without = make_agent(configs(algorithm, false), shape);
      std::vector<float> rows = observations(40, 0);
      with->observe(rows);
      const Tensor seen = rows_of(rows, 40);
      const Batch raw = raw_batch(algorithm == "dqn");
      const Tensor before = raw.observation.clone();
      Batch normalised = raw_batch(algorithm == "dqn");
      normalised.observation.copy_(by_hand(raw.observation, seen));
      normalised.next_observation.copy_(by_hand(raw.next_observation, seen));
      for (int update = 0; update < 5; ++update) {
        with->update(raw);
        without->update(normalised);
      }
      BOOST_TEST(at::equal(raw.observation, before));  // the caller's rows stay as they are
      BOOST_TEST(same_networks(*with, *without));
      const MetricMeans found = with->take_metric_means(), expected = without->take_metric_means();
      BOOST_TEST(found.names == expected.names);
      BOOST_TEST(at::allclose(found.values, expected.values, 1e-4, 1e-5));

      std::vector<float> some = observations(3, 7);
      const Tensor input = by_hand(rows_of(some, 3), seen).contiguous();
      const std::int64_t columns = algorithm == "dqn" ? 1 : kAction;
      std::vector<float> action(static_cast<std::size_t>(kMembers * 3 * columns));
      std::vector<float> expected_action = action;
      with->act(some, action, ActionMode::stochastic, RandomStream::exploration_noise, 9);
      without->act({input.data_ptr<float>(), some.size()}, expected_action, ActionMode::stochastic,
                   RandomStream::exploration_noise, 9);
      for (std::size_t i = 0; i < action.size(); ++i) {
        BOOST_TEST(action[i] == expected_action[i], boost::test_tools::tolerance(1e-3f));
      }

      // the view of a value probe, of the second member
      const auto view = with->actor_critic(1), plain = without->actor_critic(1);
      const Tensor s = raw.observation[1], hand = normalised.observation[1];
      const Tensor a = raw.action[1], noise = at::zeros_like(a);
      BOOST_TEST(at::allclose(view->q(s, a), plain->q(hand, a), 1e-4, 1e-5));
      BOOST_TEST(at::allclose(view->target_q(s, a), plain->target_q(hand, a), 1e-4, 1e-5));
      BOOST_TEST(at::allclose(view->mode(s), plain->mode(hand), 1e-4, 1e-5));
      BOOST_TEST(at::allclose(view->sample(s, noise).action, plain->sample(hand, noise).action,
                              1e-4, 1e-5));
      BOOST_TEST(view->alpha() == plain->alpha(), boost::test_tools::tolerance(1e-5));
      BOOST_TEST(with->diagnostic_names() == without->diagnostic_names());
      if (with->diagnostic_names().empty()) continue;
      BOOST_TEST(at::allclose(with->critic_losses(raw), without->critic_losses(normalised), 1e-4));
      const std::vector<RewardRange> rewards(2, {-1.0f, 1.0f});
      BOOST_TEST(at::allclose(with->diagnose(raw, rewards), without->diagnose(normalised, rewards),
                              1e-3, 1e-5, /*equal_nan=*/true));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_was_seen_comes_back_with_the_networks) {
  const AgentShape shape = shape_of("sac");
  const auto agent = make_agent(configs("sac", true), shape);
  agent->observe(observations(5, 1));
  const Batch batch = raw_batch(false);
  agent->update(batch);
  NamedArrays arrays;
  agent->save(StateWriter(arrays));
  const std::vector<float> some = observations(2, 3), later = observations(5, 2);
  const auto actions = [&](Agent& who) {
    std::vector<float> action(kMembers * 2 * kAction);
    who.act(some, action, ActionMode::deterministic, RandomStream::evaluation_noise, 0);
    return action;
  };
  const std::vector<float> expected = actions(*agent);
  agent->observe(later);
  const std::vector<float> expected_later = actions(*agent);
  BOOST_TEST(expected_later != expected);
  for (const bool networks_alone : {false, true}) {
    const auto other = make_agent(configs("sac", true), shape);
    BOOST_TEST(actions(*other) != expected);
    const StateReader state(arrays, "here");
    networks_alone ? other->load_networks(state) : other->load(state);
    BOOST_TEST(actions(*other) == expected);
    other->observe(later);  // and goes on counting where it stood
    BOOST_TEST(actions(*other) == expected_later);
    if (networks_alone) continue;
    agent->update(batch);
    other->update(batch);
    BOOST_TEST(actions(*other) == actions(*agent));
  }
  // a checkpoint without statistics is one of another structure
  NamedArrays plain;
  make_agent(configs("sac", false), shape)->save(StateWriter(plain));
  BOOST_CHECK_THROW(agent->load(StateReader(plain, "here")), ConfigError);
}

BOOST_AUTO_TEST_CASE(nothing_is_farther_out_than_ten_deviations) {
  const AgentShape shape = shape_of("sac");
  const auto agent = make_agent(configs("sac", true), shape);
  std::vector<float> rows = observations(50, 1);
  agent->observe(rows);
  const Tensor seen = rows_of(rows, 50)[0], mean = seen.mean(0, true);
  const Tensor std = at::std(seen, at::IntArrayRef{0}, /*unbiased=*/false, /*keepdim=*/true);
  const auto q = [&](double deviations) {
    Tensor s = mean.clone();
    s.select(1, 2).add_(std.select(1, 2) * deviations);
    return agent->actor_critic(0)->q(s, at::zeros({1, kAction})).view(-1)[0].item<float>();
  };
  BOOST_TEST(q(10.5) == q(11.0));
  BOOST_TEST(q(10.5) == q(1e6));
  BOOST_TEST(q(9.5) != q(10.5));
  BOOST_TEST(q(-10.5) == q(-1e6));
  BOOST_TEST(q(-10.5) != q(10.5));
}

BOOST_AUTO_TEST_CASE(rows_of_other_sizes_are_refused) {
  ObservationStatistics statistics(kMembers, kObservation);
  BOOST_CHECK_THROW(statistics.add(std::vector<float>(kObservation)), std::invalid_argument);
  BOOST_CHECK_THROW(statistics.add(std::vector<float>(kMembers * kObservation + 1)),
                    std::invalid_argument);
  BOOST_CHECK_THROW(statistics.add({}), std::invalid_argument);
}
