#define BOOST_TEST_MODULE checkpoint
#include "algos/checkpoint/checkpoint.hpp"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <random>

#include "algos/checkpoint/checkpoint_store.hpp"
#include "algos/checkpoint/sha256.hpp"
#include "sim/errors.hpp"
#include "tests/algos/checkpoint_snapshot.hpp"
#include "tests/algos/temporary_folder.hpp"

using namespace anthill;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<ReplayBuffer> make_ring(std::int64_t num_steps) {
  const std::uint64_t seed = 0;
  return make_replay_buffer(
      {.observation_dim = 20, .action_dim = 4, .num_envs = 2, .capacity = 2 * num_steps}, &seed,
      DeviceSystem::cpp);
}

/// First words of the vector steps in a ring: which steps it holds.
std::vector<int> steps_in(const ReplayBuffer& ring) {
  std::vector<int> steps;
  for (std::int64_t i = 0; i < ring.num_steps(); ++i) {
    std::vector<float> words(kStepBytes / 4);
    ring.read_steps(i, 1, words.data());
    steps.push_back(static_cast<int>(words[0]));
  }
  return steps;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

const auto kNoReport = [](const std::string& line) { BOOST_ERROR(line); };

/// True when opening fails in one of the two defined ways.
bool is_refused(const fs::path& folder) {
  try {
    Checkpoint::open(folder);
    return false;
  } catch (const DamagedCheckpoint&) {
  } catch (const ConfigError&) {
  }
  return true;
}

/// A copy in files of its own: no hard links.
void copy_checkpoint(const fs::path& from, const fs::path& to) {
  fs::create_directories(to.parent_path());
  fs::copy(from, to);
}
}  // namespace

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  BOOST_TEST(!store.open_newest(kNoReport).has_value());
  store.write(snapshot_at(7, 0), false);
  BOOST_TEST(store.stored_until() == 7);
  BOOST_TEST(content_of(folder / "checkpoints/LATEST") ==
             "step-000000000014-update-000000000007\n");
  const Checkpoint checkpoint = store.open_newest(kNoReport).value();
  BOOST_TEST(checkpoint.config_toml() == "[run]\nseed = 1\n");
  BOOST_TEST(checkpoint.info().wall_time_s == 0.1);
  const StateReader state = checkpoint.state();
  BOOST_TEST(state.part("trainer").integer("env_steps") == 14);
  BOOST_TEST(state.text("words") == "read \"me\"");
  BOOST_TEST((state.has("trainer") && !state.has("train") && !state.has("agent")));
  BOOST_CHECK_THROW(state.integer("payload"), ConfigError);
  BOOST_CHECK_THROW(state.real("absent"), ConfigError);
  const auto ring = make_ring(10);
  checkpoint.load_replay(*ring);
  BOOST_TEST(steps_in(*ring) == (std::vector<int>{0, 1, 2, 3, 4, 5, 6}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(rows_are_written_once_and_shared) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  for (const std::int64_t end : {4, 9, 13, 25}) {
    const CheckpointSnapshot snapshot = snapshot_at(end, store.stored_until());
    const std::int64_t new_rows = end - snapshot.rows_first;
    BOOST_TEST(snapshot.rows.size() == static_cast<std::size_t>(new_rows * kStepBytes));
    const fs::path written = store.write(snapshot, false);
    const Checkpoint checkpoint = Checkpoint::open(written);
    for (const ReplaySegment& segment : checkpoint.info().segments) {
      const bool is_new = segment.end_step() == end;
      BOOST_TEST((fs::hard_link_count(written / segment.file.name) > 1) == !is_new);
    }
    const auto ring = make_ring(10);
    checkpoint.load_replay(*ring);
    const std::vector<int> steps = steps_in(*ring);
    BOOST_TEST(steps.size() == static_cast<std::size_t>(std::min<std::int64_t>(end, 10)));
    BOOST_TEST(steps.back() == end - 1);
    const auto smaller = make_ring(3);
    checkpoint.load_replay(*smaller);
    BOOST_TEST(steps_in(*smaller).front() == end - 3);
  }
  // after 25 none of the older rows is in the ring: one segment of ten steps
  const auto last = store.open_newest(kNoReport);
  BOOST_TEST(last->info().segments.size() == 1u);
  BOOST_TEST(last->info().segments.front().num_steps == 10);
}

BOOST_AUTO_TEST_CASE(the_newest_stay_and_archived_ones_too) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 3);
  for (std::int64_t end = 1; end <= 8; ++end) {
    store.write(snapshot_at(end, store.stored_until()), end % 4 == 0);
  }
  BOOST_TEST(store.list().size() == 3u);
  BOOST_TEST(names_in(folder / "checkpoints").size() == 5u);  // LATEST, archive, three
  const std::vector<std::string> archived = names_in(folder / "checkpoints/archive");
  BOOST_REQUIRE(archived.size() == 2u);
  for (const std::string& name : archived) {
    const Checkpoint checkpoint = Checkpoint::open(folder / "checkpoints/archive" / name);
    const auto ring = make_ring(10);
    checkpoint.load_replay(*ring);
    BOOST_TEST(ring->num_steps() == checkpoint.info().gradient_updates);
  }
}

BOOST_AUTO_TEST_CASE(a_crash_leaves_only_what_is_ignored) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  store.write(snapshot_at(4, 0), false);
  const fs::path half = folder / "checkpoints/step-000000000099-update-000000000099.tmp";
  const auto leave_half = [&] {
    fs::create_directories(half);
    write_content(half / "state.safetensors", "half of it");
  };
  leave_half();
  CheckpointStore again(folder / "checkpoints", 2);
  const auto checkpoint = again.open_newest(kNoReport);
  BOOST_TEST(checkpoint->info().env_steps == 8);
  again.continue_from(*checkpoint);
  BOOST_TEST(!fs::exists(half));
  leave_half();  // of a prune, or where nothing could be resumed
  again.write(snapshot_at(6, again.stored_until()), false);
  BOOST_TEST(!fs::exists(half));
  BOOST_TEST(again.open_newest(kNoReport)->info().segments.size() == 2u);
}

BOOST_AUTO_TEST_CASE(every_truncation_and_flipped_bit_is_refused) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  store.write(snapshot_at(4, 0, 200'000), false);
  const fs::path good = store.write(snapshot_at(9, store.stored_until(), 200'000), false);
  std::mt19937 random(1);
  std::int64_t cases = 0;
  for (const std::string& name : names_in(good)) {
    const std::string whole = content_of(good / name);
    const fs::path damaged = folder / "damaged";
    copy_checkpoint(good, damaged);
    const auto check = [&](const std::string& bytes, const std::string& what) {
      write_content(damaged / name, bytes);
      BOOST_TEST(is_refused(damaged), name << ' ' << what);
      ++cases;
    };
    for (std::size_t size = 0; size < whole.size(); size += 4096) {
      check(whole.substr(0, size), "cut to " + std::to_string(size));
    }
    check(whole.substr(0, whole.size() - 1), "without its last byte");
    check(whole + '\n', "with a byte more");
    for (int i = 0; i < 50; ++i) {
      std::string flipped = whole;
      const std::size_t at = random() % flipped.size();
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << random() % 8));
      check(flipped, "flipped at " + std::to_string(at));
    }
    fs::remove(damaged / name);
    BOOST_TEST(is_refused(damaged), name << " removed");
    fs::create_directory(damaged / name);
    BOOST_TEST(is_refused(damaged), name << " as a folder");
    fs::remove_all(damaged);
  }
  BOOST_TEST(cases > 600);
}

BOOST_AUTO_TEST_CASE(a_damaged_one_is_replaced_by_the_one_before_loudly) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  const fs::path older = store.write(snapshot_at(4, 0), false);
  const fs::path newer = store.write(snapshot_at(9, store.stored_until()), false);
  write_content(newer / "state.safetensors", "not what it was");
  std::vector<std::string> lines;
  const auto report = [&](const std::string& line) { lines.push_back(line); };
  CheckpointStore again(folder / "checkpoints", 2);
  const auto checkpoint = again.open_newest(report);
  BOOST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(lines[0].find(newer.filename().string()) != std::string::npos);
  BOOST_TEST(lines[0].find("state.safetensors") != std::string::npos);
  BOOST_TEST(checkpoint->folder() == older);
  again.continue_from(*checkpoint);
  BOOST_TEST((!fs::exists(newer) && fs::exists(newer.string() + ".damaged")));
  BOOST_TEST(again.write(snapshot_at(9, again.stored_until()), false) == newer);
  BOOST_TEST(again.open_newest(report)->folder() == newer);

  // none left
  write_content(newer / "manifest.json", "{}");
  write_content(older / "manifest.sha256", "");
  BOOST_CHECK_THROW(again.open_newest(report), ConfigError);
}

BOOST_AUTO_TEST_CASE(another_format_version_is_no_damage) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  const fs::path path = store.write(snapshot_at(4, 0), false);
  std::string manifest = content_of(path / "manifest.json");
  const std::string version = "\"version\": 1";
  manifest.replace(manifest.find(version), version.size(), "\"version\": 2");
  write_content(path / "manifest.json", manifest);
  write_content(path / "manifest.sha256", sha256_of(manifest) + "  manifest.json\n");
  BOOST_CHECK_EXCEPTION(store.open_newest(kNoReport), ConfigError, [](const ConfigError& error) {
    return std::string(error.what()).find("format version 2") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_manifest_that_lies_is_refused) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  const fs::path path = store.write(snapshot_at(4, 0), false);
  const std::string manifest = content_of(path / "manifest.json");
  const std::pair<std::string, std::string> lies[] = {
      {"\"first_step\": 0", "\"first_step\": 5"},
      {"\"end_step\": 4", "\"end_step\": 5"},
      {"\"end_step\": 4", "\"end_step\": 0"},
      {"\"step_bytes\": 384", "\"step_bytes\": 385"},
      {"\"num_steps\": 4", "\"num_steps\": 0"},
      {"\"name\": \"state", "\"name\": \"../state"},
      {"\"env_steps\": 8", "\"env_steps\": -8"},
      {"\"env_steps\": 8", "\"env_steps\": 8.5"},
      {"\"wall_time_s\": 0.1", "\"wall_time_s\": \"0.1\""},
      {"\"segments\": [", "\"segment\": ["},
      {"anthill checkpoint", "another checkpoint"}};
  for (const auto& [from, to] : lies) {
    std::string changed = manifest;
    BOOST_REQUIRE(changed.find(from) != std::string::npos);
    changed.replace(changed.find(from), from.size(), to);
    BOOST_CHECK_THROW(parse_manifest(changed, "manifest.json"), DamagedCheckpoint);
  }
  BOOST_CHECK_NO_THROW(parse_manifest(manifest, "manifest.json"));
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_the_last_good_one) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  store.write(snapshot_at(4, 0), false);
  // no file may grow beyond 100 KB, as on a full disk
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {100'000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  BOOST_CHECK_THROW(store.write(snapshot_at(9, store.stored_until(), 50'000), false),
                    std::runtime_error);
  ::setrlimit(RLIMIT_FSIZE, &before);
  BOOST_TEST(names_in(folder / "checkpoints").size() == 2u);  // LATEST and the good one
  BOOST_TEST(store.open_newest(kNoReport)->info().env_steps == 8);
  // and later it works again, with all rows
  store.write(snapshot_at(11, store.stored_until(), 50'000), false);
  const auto ring = make_ring(10);
  store.open_newest(kNoReport)->load_replay(*ring);
  BOOST_TEST((steps_in(*ring).front() == 1 && ring->num_steps() == 10));
}

BOOST_AUTO_TEST_CASE(a_lost_folder_gets_and_loses_no_checkpoint) {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  for (const std::int64_t end : {4, 6}) store.write(snapshot_at(end, store.stored_until()), false);
  int left = 1;  // the folder is lost between the beginning of a write and its end
  store.set_owner_check([&] {
    if (left-- <= 0) throw std::runtime_error("lost");
  });
  BOOST_CHECK_THROW(store.write(snapshot_at(9, store.stored_until()), false), std::runtime_error);
  BOOST_TEST(store.list().size() == 2u);
  BOOST_TEST(store.open_newest(kNoReport)->info().env_steps == 12);
}
