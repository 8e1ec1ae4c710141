/// How much memory this process may take.
#pragma once

#include <string>

namespace anthill {

/// Bytes of host memory that this process may use: the machine's, cut down by the memory limit of
/// its cgroup. A double: "no limit" may not fit an integer.
double host_memory_bytes();

/// The smallest memory limit in bytes of the cgroups listed in `memberships` (the format of
/// /proc/self/cgroup) and of their parents, mounted at `root`: memory.max of version 2,
/// memory.limit_in_bytes of version 1. Infinity where none can be read.
double cgroup_memory_bytes(const std::string& memberships, const std::string& root);

}  // namespace anthill
