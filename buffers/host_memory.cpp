#include "buffers/host_memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>

namespace anthill {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// The number in a limit's file; "max" or no file: unlimited.
double limit_in(const std::string& path) {
  std::ifstream file(path);
  double bytes = 0;
  return file >> bytes ? bytes : kUnlimited;
}

/// The smallest limit from the cgroup `path` up to the root.
double smallest_limit(const std::string& root, std::string path, const std::string& name) {
  double limit = limit_in(root + "/" + name);
  for (; path.size() > 1; path = path.substr(0, path.rfind('/'))) {
    limit = std::min(limit, limit_in(root + path + "/" + name));
  }
  return limit;
}

}  // namespace

double cgroup_memory_bytes(const std::string& memberships, const std::string& root) {
  double limit = kUnlimited;
  std::ifstream lines(memberships);
  for (std::string line; std::getline(lines, line);) {  // hierarchy:controllers:path
    const std::size_t controllers = line.find(':');
    const std::size_t path = line.find(':', controllers + 1);
    if (controllers == std::string::npos || path == std::string::npos) continue;
    std::string names = ",";
    names.append(line, controllers + 1, path - controllers - 1).append(",");
    if (line.starts_with("0::")) {
      limit = std::min(limit, smallest_limit(root, line.substr(path + 1), "memory.max"));
    } else if (names.find(",memory,") != std::string::npos) {
      limit = std::min(
          limit, smallest_limit(root + "/memory", line.substr(path + 1), "memory.limit_in_bytes"));
    }
  }
  return limit;
}

double host_memory_bytes() {
  const double machine =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return std::min(machine, cgroup_memory_bytes("/proc/self/cgroup", "/sys/fs/cgroup"));
}

void prefer_large_pages(void* memory, std::size_t bytes) {
#if defined(MADV_HUGEPAGE)
  constexpr std::uintptr_t kLargePage = 2 << 20;
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = (begin + kLargePage - 1) / kLargePage * kLargePage;
  const std::uintptr_t last = (begin + bytes) / kLargePage * kLargePage;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

}  // namespace anthill
