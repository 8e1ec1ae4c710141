/// How much memory this process may take, and in pages of which size.
#pragma once

#include <cstddef>
#include <string>

namespace anthill {

/// Bytes of host memory that this process may use: the machine's, cut down by the memory limit of
/// its cgroup. A double: "no limit" may not fit an integer.
double host_memory_bytes();

/// The smallest memory limit in bytes of the cgroups listed in `memberships` (the format of
/// /proc/self/cgroup) and of their parents, mounted at `root`: memory.max of version 2,
/// memory.limit_in_bytes of version 1. Infinity where none can be read.
double cgroup_memory_bytes(const std::string& memberships, const std::string& root);

/// Asks for large pages (2 MiB) behind memory that was taken and not yet touched: records at random
/// places of a large ring then cost no walk through the page table. Only a wish, as the system may
/// have none.
void prefer_large_pages(void* memory, std::size_t bytes);

}  // namespace anthill
