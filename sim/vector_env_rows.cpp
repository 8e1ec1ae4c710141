// State rows from the outside: read, written back, moved between lanes and VectorEnvs.
#include <stdexcept>
#include <string>

#include "sim/vector_env_impl.hpp"

namespace anthill {
namespace {

// changes with what a lane's row means
constexpr int kRowFormat = 1;

/// FNV-1a.
std::uint64_t hash_text(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return hash;
}

}  // namespace

std::string row_identity(const Env& env) {
  const EnvSpec& spec = env.spec();
  return "row format " + std::to_string(kRowFormat) + ", " + spec.name + ", " +
         std::to_string(lane_row_size(spec)) + " doubles, " + env.physics_identity();
}

std::size_t lane_row_size(const EnvSpec& spec) {
  return static_cast<std::size_t>(spec.state_dim) + kLaneWords + spec.reward_terms.size();
}

std::uint64_t row_tag(const Env& env) { return hash_text(row_identity(env)); }

void VectorEnv::Impl::check_row(std::span<const double> stored, const char* function) const {
  const std::string where = std::string("VectorEnv::") + function + ": ";
  if (stored.size() != row_size) {
    throw std::invalid_argument(where + "a row of " + std::to_string(stored.size()) +
                                " doubles; rows of " + env->spec().name + " have " +
                                std::to_string(row_size));
  }
  if (std::bit_cast<std::uint64_t>(stored[state_dim + kTagWord]) == tag) return;
  throw std::invalid_argument(where +
                              "the row was written by another task, model, MuJoCo or row format; "
                              "this is " +
                              row_identity(*env));
}

std::size_t VectorEnv::Impl::checked_lane(std::int64_t lane, const char* function) const {
  if (lane >= 0 && static_cast<std::size_t>(lane) < num_envs) return static_cast<std::size_t>(lane);
  throw std::invalid_argument(std::string("VectorEnv::") + function + ": lane " +
                              std::to_string(lane) + "; lanes are 0 to " +
                              std::to_string(num_envs - 1));
}

void VectorEnv::Impl::count_waiting_lanes() {
  num_waiting = 0;
  for (std::size_t lane = 0; lane < num_envs; ++lane)
    num_waiting += row(lane).episode < 0 ? 1u : 0u;
}

void VectorEnv::seed(std::int64_t lane, std::uint64_t seed) {
  impl_->require_idle("seed");
  const std::size_t index = impl_->checked_lane(lane, "seed");
  impl_->num_waiting += impl_->row(index).episode < 0 ? 0u : 1u;
  impl_->seeds[index] = seed;
  impl_->seed_lane(index, impl_->scratch.front());
}

std::int64_t VectorEnv::row_size() const { return static_cast<std::int64_t>(impl_->row_size); }

std::span<const double> VectorEnv::state() const {
  impl_->require_idle("state");
  return {impl_->rows.get(), impl_->num_envs * impl_->row_size};
}

void VectorEnv::restore(std::span<const double> rows) {
  impl_->require_idle("restore");
  const std::size_t row_size = impl_->row_size;
  if (rows.size() != impl_->num_envs * row_size) {
    throw std::invalid_argument("VectorEnv::restore: " + std::to_string(rows.size()) +
                                " doubles, expected " + std::to_string(impl_->num_envs) +
                                " rows of " + std::to_string(row_size));
  }
  for (std::size_t lane = 0; lane < impl_->num_envs; ++lane) {
    impl_->check_row(rows.subspan(lane * row_size, row_size), "restore");
  }
  std::ranges::copy(rows, impl_->rows.get());
  impl_->count_waiting_lanes();
}

std::span<const double> VectorEnv::row(std::int64_t lane) const {
  impl_->require_idle("row");
  return {impl_->rows.get() + impl_->checked_lane(lane, "row") * impl_->row_size, impl_->row_size};
}

void VectorEnv::write_row(std::int64_t lane, std::span<const double> row) {
  impl_->require_idle("write_row");
  const std::size_t index = impl_->checked_lane(lane, "write_row");
  impl_->check_row(row, "write_row");
  const LaneRow target = impl_->row(index);
  impl_->num_waiting -= target.episode < 0 ? 1u : 0u;
  std::ranges::copy(row, target.state.data());
  impl_->num_waiting += target.episode < 0 ? 1u : 0u;
}

}  // namespace anthill
