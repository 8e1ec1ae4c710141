#define BOOST_TEST_MODULE replay_buffer_gpu
#define BOOST_TEST_NO_MAIN
#include <cuda_runtime_api.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <string>

#include "buffers/cuda_device.hpp"
#include "tests/buffers/replay_reference.hpp"

using namespace anthill;
using namespace anthill::testing;

namespace {

void check(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

struct Stream {
  Stream() { check(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking)); }
  ~Stream() { cudaStreamDestroy(handle); }
  cudaStream_t handle = nullptr;
};

/// Device memory with the content of a host array, copied back on request.
class DeviceArray {
 public:
  explicit DeviceArray(std::vector<float>& host) : host_(host) {
    check(cudaMalloc(&data_, bytes()));
    check(cudaMemcpy(data_, host_.data(), bytes(), cudaMemcpyHostToDevice));
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  float* data() const { return static_cast<float*>(data_); }
  void fetch() { check(cudaMemcpy(host_.data(), data_, bytes(), cudaMemcpyDeviceToHost)); }

 private:
  std::size_t bytes() const { return host_.size() * sizeof(float); }
  std::vector<float>& host_;
  void* data_ = nullptr;
};

/// A draw's number in device memory.
struct DeviceWord {
  explicit DeviceWord(std::uint64_t value) {
    check(cudaMalloc(reinterpret_cast<void**>(&data), sizeof value));
    check(cudaMemcpy(data, &value, sizeof value, cudaMemcpyHostToDevice));
  }
  ~DeviceWord() { cudaFree(data); }
  DeviceWord(const DeviceWord&) = delete;
  DeviceWord& operator=(const DeviceWord&) = delete;
  std::int64_t* data = nullptr;
};

/// One batch per member from words on the device must be the one that the host's numbers give.
void check_words(ReplayBuffer& buffer, const HostBatch& expected, const ReplayShape& shape,
                 std::int64_t batch_size, std::uint64_t draw, const Stream& stream) {
  HostBatch batch(shape, 1, batch_size);
  DeviceArray observation(batch.observation), action(batch.action), reward(batch.reward),
      next_observation(batch.next_observation), bootstrap(batch.bootstrap);
  const DeviceWord word(draw);
  buffer.sample_at({1, batch_size, observation.data(), action.data(), reward.data(),
                    next_observation.data(), bootstrap.data()},
                   word.data, stream.handle);
  check(cudaStreamSynchronize(stream.handle));
  observation.fetch();
  reward.fetch();
  const auto starts_with = [](const auto& all, const auto& first) {
    return std::equal(first.begin(), first.end(), all.begin());
  };
  BOOST_TEST(starts_with(expected.observation, batch.observation));
  BOOST_TEST(starts_with(expected.reward, batch.reward));
}

HostBatch sample_on_device(ReplayBuffer& buffer, const ReplayShape& shape, std::int64_t num_batches,
                           std::int64_t batch_size, std::uint64_t draw, const Stream& stream) {
  HostBatch batch(shape, num_batches, batch_size);
  DeviceArray observation(batch.observation), action(batch.action), reward(batch.reward),
      next_observation(batch.next_observation), bootstrap(batch.bootstrap);
  buffer.sample_into({num_batches, batch_size, observation.data(), action.data(), reward.data(),
                      next_observation.data(), bootstrap.data()},
                     draw, stream.handle);
  check(cudaStreamSynchronize(stream.handle));
  for (DeviceArray* array : {&observation, &action, &reward, &next_observation, &bootstrap}) {
    array->fetch();
  }
  check_words(buffer, batch, shape, batch_size, draw, stream);
  return batch;
}

std::string saved(const ReplayBuffer& buffer) {
  std::ostringstream out;
  buffer.save(out);
  return out.str();
}

void compare_with_host(const ReplayShape& shape, bool pinned) {
  const Stream stream;
  const auto host = make_buffer(shape), device = make_buffer(shape, DeviceSystem::cuda);
  RowMaker maker(shape, pinned);
  for (int step = 0; step < 40; ++step) {
    const TransitionView rows = maker.next();
    host->insert(rows);
    device->insert(rows, stream.handle);  // the next step overwrites the rows at once
    if (step % 8 != 7) continue;
    const auto draw = static_cast<std::uint64_t>(step) << 31;
    BOOST_TEST((sample_on_device(*device, shape, 3, 70, draw, stream) ==
                sample(*host, shape, 3, 70, draw)));
  }
  BOOST_TEST(device->size() == host->size());
  BOOST_TEST(device->memory_bytes() == host->memory_bytes());
  BOOST_TEST((saved(*device) == saved(*host)));
}

}  // namespace

BOOST_AUTO_TEST_CASE(cuda_and_cpp_give_the_same_bits) {
  for (const bool pinned : {false, true}) {
    for (const std::int64_t members : {1, 3}) {
      for (const std::int64_t num_envs : {1, 7, 256}) {
        for (const std::int64_t observation_dim : {1, 27, 105}) {
          compare_with_host({observation_dim, 8, num_envs, members, 13 * num_envs}, pinned);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_saved_buffer_moves_between_host_and_device) {
  const ReplayShape shape{27, 8, 5, 2, 100};
  const Stream stream;
  const auto host = make_buffer(shape), device = make_buffer(shape, DeviceSystem::cuda);
  RowMaker maker(shape);
  for (int step = 0; step < 27; ++step) host->insert(maker.next());
  std::stringstream file(saved(*host));
  device->load(file);
  BOOST_TEST((saved(*device) == saved(*host)));
  BOOST_TEST(
      (sample_on_device(*device, shape, 2, 50, 4, stream) == sample(*host, shape, 2, 50, 4)));
}

BOOST_AUTO_TEST_CASE(one_valid_row_among_very_many_is_found) {
  const ReplayShape shape{1, 1, 1000, 1, 200'000};
  const Stream stream;
  const auto host = make_buffer(shape), device = make_buffer(shape, DeviceSystem::cuda);
  RowMaker maker(shape);
  for (int step = 0; step < 200; ++step) {
    const TransitionView rows = maker.next(1.0);
    if (step == 120) rows.invalid[345] = 0;
    device->insert(rows, stream.handle);
  }
  for (const float reward : sample_on_device(*device, shape, 1, 16, 0, stream).reward) {
    BOOST_TEST(reward == 120'345);
  }
}

int main(int argc, char** argv) {
  const std::string problem = cuda_problem();
  if (!problem.empty()) {
    std::printf("skipped: %s\n", problem.c_str());
    return 77;
  }
  return boost::unit_test::unit_test_main(init_unit_test, argc, argv);
}
