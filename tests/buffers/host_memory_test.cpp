#define BOOST_TEST_MODULE host_memory
#include "buffers/host_memory.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/buffers/replay_rows.hpp"

using namespace anthill;
namespace fs = std::filesystem;

namespace {

/// A made-up /proc/self/cgroup and /sys/fs/cgroup.
struct FakeCgroups {
  FakeCgroups() : root(fs::temp_directory_path() / ("anthill_cgroup_" + std::to_string(getpid()))) {
    fs::remove_all(root);
    fs::create_directories(root);
  }
  ~FakeCgroups() { fs::remove_all(root); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  }
  double limit() const { return cgroup_memory_bytes(root / "self", root); }

  fs::path root;
};

/// Bytes of this process for which large pages were asked (VmFlags: hg).
std::int64_t large_page_bytes() {
  std::ifstream file("/proc/self/smaps");
  std::int64_t total = 0, size = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Size:")) std::istringstream(line.substr(5)) >> size;
    if (line.starts_with("VmFlags:") && line.find(" hg") != std::string::npos) total += 1024 * size;
  }
  return total;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_large_ring_asks_for_large_pages,
                     *boost::unit_test::precondition([](boost::unit_test::test_unit_id) {
                       return fs::exists("/sys/kernel/mm/transparent_hugepage");
                     })) {
  constexpr std::int64_t kRows = 1 << 17;
  const std::int64_t before = large_page_bytes();
  const auto buffer = anthill::testing::make_buffer(
      {.observation_dim = 27, .action_dim = 8, .num_envs = 1, .capacity = kRows});
  BOOST_TEST(buffer->memory_bytes() == kRows * 256);
  const std::int64_t asked = large_page_bytes() - before;
  BOOST_TEST(asked > buffer->memory_bytes() - (4 << 20));
  BOOST_TEST(asked <= buffer->memory_bytes());
}

BOOST_AUTO_TEST_CASE(memory_below_a_large_page_is_left_alone) {
  const std::int64_t before = large_page_bytes();
  std::vector<char> small(1 << 20);
  prefer_large_pages(small.data(), small.size());
  prefer_large_pages(nullptr, 0);
  BOOST_TEST(large_page_bytes() == before);
}

BOOST_AUTO_TEST_CASE(version_2_takes_the_smallest_limit_up_to_the_root) {
  const FakeCgroups cgroups;
  BOOST_TEST(std::isinf(cgroups.limit()));  // no such file
  cgroups.write("self", "0::/job/step\n");
  BOOST_TEST(std::isinf(cgroups.limit()));
  cgroups.write("job/step/memory.max", "max\n");
  BOOST_TEST(std::isinf(cgroups.limit()));
  cgroups.write("job/memory.max", "4096\n");
  BOOST_TEST(cgroups.limit() == 4096);
  cgroups.write("job/step/memory.max", "8192\n");
  BOOST_TEST(cgroups.limit() == 4096);
  cgroups.write("memory.max", "1024\n");  // a container's own cgroup is mounted as the root
  BOOST_TEST(cgroups.limit() == 1024);
}

BOOST_AUTO_TEST_CASE(version_1_takes_the_memory_hierarchy) {
  const FakeCgroups cgroups;
  cgroups.write("self", "5:cpu,cpuacct:/a\n4:memory:/b\nnonsense\n");
  cgroups.write("memory/a/memory.limit_in_bytes", "1\n");
  cgroups.write("memory/b/memory.limit_in_bytes", "4096\n");
  cgroups.write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  BOOST_TEST(cgroups.limit() == 4096);
}

BOOST_AUTO_TEST_CASE(this_process_has_some_memory_but_not_more_than_the_machine) {
  const double machine =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  BOOST_TEST(host_memory_bytes() > 0);
  BOOST_TEST(host_memory_bytes() <= machine);
}
