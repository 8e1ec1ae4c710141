/// Small files that are replaced whole.
#pragma once

#include <filesystem>
#include <string_view>

namespace anthill {

/// Writes all bytes to a file descriptor, through interruptions; false, with errno, on failure.
bool write_all(int descriptor, std::string_view bytes);

/// Replaces `path` by `bytes`: temporary file beside it, then rename, so a reader sees the old or
/// the new content. `sync`: also through a power cut. Throws std::runtime_error with the path.
void replace_file(const std::filesystem::path& path, std::string_view bytes, bool sync);

}  // namespace anthill
