/// SHA-256, as `sha256sum` prints it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace anthill {

/// One digest, in pieces. One owner thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(const void* bytes, std::size_t size);

  /// Adds a regular file's bytes; false when it cannot be read.
  bool add_file(const std::string& path);

  /// The digest as 64 lower-case hexadecimal digits; the end of this object's use.
  std::string hex();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string sha256_of(std::string_view bytes);

}  // namespace anthill
