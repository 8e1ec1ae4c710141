#include "algos/checkpoint/checkpoint.hpp"

#include <algorithm>
#include <fstream>

#include "algos/checkpoint/sha256.hpp"
#include "algos/training/file_io.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

[[noreturn]] void damaged(const std::filesystem::path& path, const std::string& what) {
  throw DamagedCheckpoint("'" + path.string() + "' " + what);
}

/// A small file's bytes.
std::string bytes_of(const std::filesystem::path& path) {
  try {
    return read_file(path);
  } catch (const std::runtime_error& error) {
    throw DamagedCheckpoint(error.what());
  }
}

void check_length(const std::filesystem::path& path, const StoredFile& file, std::int64_t bytes) {
  if (bytes == file.bytes) return;
  damaged(path, "has " + std::to_string(bytes) + " bytes instead of " + std::to_string(file.bytes));
}

std::string verified_bytes(const std::filesystem::path& folder, const StoredFile& file) {
  const std::filesystem::path path = folder / file.name;
  std::string bytes = bytes_of(path);
  check_length(path, file, static_cast<std::int64_t>(bytes.size()));
  if (sha256_of(bytes) != file.sha256) damaged(path, "differs from its checksum");
  return bytes;
}

/// The same for a file that need not fit in memory.
void verify(const std::filesystem::path& folder, const StoredFile& file) {
  const std::filesystem::path path = folder / file.name;
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) damaged(path, "cannot be read: " + error.message());
  check_length(path, file, static_cast<std::int64_t>(bytes));
  Sha256 hash;
  if (!hash.add_file(path.string())) damaged(path, "cannot be read");
  if (hash.hex() != file.sha256) damaged(path, "differs from its checksum");
}

}  // namespace

Checkpoint Checkpoint::open(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "manifest.json";
  const std::string manifest = bytes_of(path);
  const std::string checksum = bytes_of(folder / "manifest.sha256");
  if (checksum != sha256_of(manifest) + "  manifest.json\n") {
    damaged(path, "differs from its checksum in manifest.sha256");
  }
  Checkpoint checkpoint;
  checkpoint.folder_ = folder;
  checkpoint.info_ = parse_manifest(manifest, path.string());
  const CheckpointInfo& info = checkpoint.info_;
  checkpoint.config_toml_ = verified_bytes(folder, info.config);
  const std::string state = verified_bytes(folder, info.state);
  for (const ReplaySegment& segment : info.segments) verify(folder, segment.file);
  checkpoint.arrays_ = parse_safetensors(state, (folder / info.state.name).string()).arrays;
  return checkpoint;
}

void Checkpoint::load_replay(ReplayBuffer& buffer) const {
  buffer.clear();
  if (info_.first_step == info_.end_step) return;
  if (buffer.step_bytes() != info_.step_bytes) {
    throw ConfigError("'" + folder_.string() + "': a vector step takes " +
                      std::to_string(info_.step_bytes) + " bytes, this run's " +
                      std::to_string(buffer.step_bytes()) +
                      "; resume with the configuration that it was saved with");
  }
  // about 4 MiB at a time
  const std::int64_t piece_steps = std::max<std::int64_t>(1, (4 << 20) / info_.step_bytes);
  std::vector<char> piece(static_cast<std::size_t>(piece_steps * info_.step_bytes));
  for (const ReplaySegment& segment : info_.segments) {
    const std::filesystem::path path = folder_ / segment.file.name;
    std::ifstream file(path, std::ios::binary);
    std::int64_t step = std::max(segment.first_step, info_.first_step);
    file.seekg((step - segment.first_step) * info_.step_bytes);
    while (step < segment.end_step()) {
      const std::int64_t count = std::min(piece_steps, segment.end_step() - step);
      if (!file.read(piece.data(), count * info_.step_bytes)) {
        throw std::runtime_error("cannot read '" + path.string() + "'; check the file system");
      }
      buffer.append_steps(count, piece.data());
      step += count;
    }
  }
}

}  // namespace anthill
