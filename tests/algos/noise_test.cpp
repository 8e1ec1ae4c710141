#define BOOST_TEST_MODULE noise
#include "algos/networks/noise.hpp"

#include <boost/test/unit_test.hpp>

using namespace anthill;

BOOST_AUTO_TEST_CASE(normals_have_the_moments_and_the_distribution) {
  const Tensor x = at::empty({1, 1'000'001}, at::kFloat);
  fill_normal(x, {3}, RandomStream::actor_noise, 9);
  const Tensor d = x.to(at::kDouble);
  BOOST_TEST(std::abs(d.mean().item<double>()) < 4e-3);
  BOOST_TEST(std::abs(d.square().mean().item<double>() - 1.0) < 6e-3);
  BOOST_TEST(std::abs(d.pow(3).mean().item<double>()) < 2e-2);
  BOOST_TEST(std::abs(d.pow(4).mean().item<double>() - 3.0) < 5e-2);
  // Kolmogorov-Smirnov: 1.95 / sqrt(n) is the 0.1 % point
  const Tensor sorted = std::get<0>(d.view(-1).sort());
  const Tensor cdf = 0.5 * (1.0 + at::erf(sorted / std::sqrt(2.0)));
  const Tensor empirical = at::arange(1, sorted.numel() + 1, at::kDouble) / sorted.numel();
  BOOST_TEST((cdf - empirical).abs().max().item<double>() < 1.95e-3);
}

// computed once in double by a separate program, from the documented key and Box & Muller's formula
BOOST_AUTO_TEST_CASE(normals_keep_their_values) {
  const Tensor x = at::empty({2, 6}, at::kFloat);
  const auto equals = [&](const std::vector<double>& golden) {
    for (std::int64_t i = 0; i < 6; ++i) {
      BOOST_TEST(std::abs(x[1][i].item<double>() - golden[static_cast<std::size_t>(i)]) < 1e-6,
                 "element " << i << ": " << x[1][i].item<double>());
    }
  };
  fill_normal(x, {0, 5}, RandomStream::actor_noise, 7);
  equals({-0.1403559630488997, 0.1726787802710366, -1.4946815208288273, -0.17462594086798752,
          0.7899749949695369, 1.1611856931838298});
  fill_normal(x, {0, (1ull << 40) | 6}, RandomStream::next_action_noise, (1ull << 32) + 1);
  equals({-0.37086838046898035, 0.5677161637743452, 1.08717894386496, -0.4752072711475588,
          0.4651648548860463, 0.23684873549936192});
}

BOOST_AUTO_TEST_CASE(an_element_is_a_function_of_its_key_alone) {
  const Tensor small = at::empty({1, 2, 3}), large = at::empty({2, 8, 3});
  fill_normal(small, {5}, RandomStream::actor_noise, 7);
  fill_normal(large, {4, 5}, RandomStream::actor_noise, 7);
  BOOST_TEST(at::equal(small.view(-1), large[1].reshape(-1).slice(0, 0, 6)));
  BOOST_TEST(!at::equal(large[0], large[1]));
  const Tensor other = at::empty({1, 2, 3});
  for (const auto& [seed, stream, counter] :
       {std::tuple{6ull, RandomStream::actor_noise, 7ull},
        std::tuple{5ull, RandomStream::next_action_noise, 7ull},
        std::tuple{5ull, RandomStream::actor_noise, 8ull},
        std::tuple{5ull, RandomStream::actor_noise, 7ull + (1ull << 32)}}) {
    fill_normal(other, {seed}, stream, counter);
    BOOST_TEST(!at::equal(small, other));
  }
}

BOOST_AUTO_TEST_CASE(masks_drop_their_share_and_are_keyed) {
  const Tensor keep = at::empty({2, 1'000'003}, at::kByte);
  fill_keep(keep, 0.2, {4, 5}, RandomStream::critic_dropout, 7);
  BOOST_TEST(keep.max().item<int>() == 1);
  for (std::int64_t m = 0; m < 2; ++m) {
    // four standard deviations of a mean of a million
    BOOST_TEST(std::abs(keep[m].to(at::kDouble).mean().item<double>() - 0.8) < 1.6e-3);
  }
  const Tensor alone = at::empty({1, 11}, at::kByte);
  fill_keep(alone, 0.2, {5}, RandomStream::critic_dropout, 7);
  BOOST_TEST(at::equal(alone[0], keep[1].slice(0, 0, 11)));
  fill_keep(keep, 0.2, {4, 5}, RandomStream::actor_dropout, 7);
  BOOST_TEST(!at::equal(alone[0], keep[1].slice(0, 0, 11)));
}

BOOST_AUTO_TEST_CASE(uniform_actions_fill_the_open_interval) {
  std::vector<float> actions(200'000);
  fill_uniform_actions(actions.data(), 100'000, {1, 2}, RandomStream::random_action, 0);
  double sum = 0, low = 1, high = -1;
  for (const float a : actions) {
    sum += a;
    low = std::min<double>(low, a);
    high = std::max<double>(high, a);
  }
  BOOST_TEST(std::abs(sum / 200'000) < 5e-3);
  BOOST_TEST(low > -1.0);
  BOOST_TEST(low < -0.999);
  BOOST_TEST(high < 1.0);
  BOOST_TEST(high > 0.999);
}
