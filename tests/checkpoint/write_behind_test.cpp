#define BOOST_TEST_MODULE write_behind
#include "algos/checkpoint/write_behind.hpp"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <stdexcept>

#include "algos/checkpoint/checkpoint_store.hpp"
#include "algos/training/file_io.hpp"
#include "buffers/replay_buffer.hpp"
#include "buffers/staging.hpp"
#include "tests/algos/temporary_folder.hpp"

using namespace anthill;

BOOST_AUTO_TEST_CASE(one_job_at_a_time_and_its_error) {
  WriteBehind writer;
  BOOST_TEST((!writer.is_busy() && !writer.is_over() && writer.finish().empty()));
  std::atomic<bool> go = false;
  writer.start([&] { go.wait(false); });
  BOOST_TEST(writer.is_busy());
  BOOST_CHECK_THROW(writer.start([] {}), std::logic_error);
  go = true;
  go.notify_one();
  BOOST_TEST(writer.finish() == "");
  writer.start([] { throw std::runtime_error("disk full"); });
  BOOST_TEST(writer.finish() == "disk full");
  BOOST_TEST(writer.finish() == "");
}

BOOST_AUTO_TEST_CASE(the_ring_goes_on_while_it_is_written) {
  const TemporaryFolder folder;
  constexpr std::int64_t kLanes = 8, kSlots = 50;
  const std::uint64_t seed = 1;
  const auto ring = make_replay_buffer(
      {.observation_dim = 3, .action_dim = 1, .num_envs = kLanes, .capacity = kLanes * kSlots},
      &seed, DeviceSystem::cpp);
  Staging staging(kLanes, 3, 1, false);
  CheckpointStore store(folder / "checkpoints", 2);
  WriteBehind writer;
  int saves = 0;
  std::int64_t steps = 0, saved_steps = 0;
  while (saves < 20 || writer.is_busy()) {
    const TransitionView rows = staging.back();
    for (float& value : rows.reward) value = static_cast<float>(steps);
    ring->insert(rows);
    staging.flip();
    ++steps;
    if (writer.is_busy() || saves == 20) continue;
    BOOST_TEST(writer.finish() == "");
    auto snapshot = std::make_shared<CheckpointSnapshot>();
    snapshot->info.env_steps = snapshot->info.end_step = saved_steps = steps;
    snapshot->info.first_step = steps - ring->num_steps();
    snapshot->info.step_bytes = ring->step_bytes();
    snapshot->rows_first = std::max(store.stored_until(), snapshot->info.first_step);
    const std::int64_t count = steps - snapshot->rows_first;
    snapshot->rows.resize(static_cast<std::size_t>(count * ring->step_bytes()));
    ring->read_steps(snapshot->rows_first - snapshot->info.first_step, count,
                     snapshot->rows.data());
    writer.start([&store, snapshot] { store.write(*snapshot, false); });
    ++saves;
  }
  BOOST_TEST(writer.finish() == "");
  BOOST_TEST(steps > saved_steps);
  const auto path = store.list().back() / "manifest.json";
  const CheckpointInfo info = parse_manifest(read_file(path), path.string());
  BOOST_TEST(info.end_step == saved_steps);
}
