/// The files that make up an MJCF model.
#pragma once

#include <string>
#include <vector>

namespace anthill {

struct ModelFile {
  std::string path;
  std::string name;  // as the model writes it; the model itself: its file name
  std::string bytes;
  bool is_readable = false;
};

/// The file at `path` first, then every file that exists and that it or an included file names in
/// an attribute file..., in the order of their paths: includes, meshes, height fields, textures.
/// They are looked for beside the model and in its meshdir, texturedir and assetdir, as MuJoCo does
/// it (https://mujoco.readthedocs.io/en/stable/XMLreference.html#compiler). Text alone is searched:
/// a comment may name a file too many. Loads no MuJoCo, so that login nodes can do it.
std::vector<ModelFile> model_files(const std::string& path);

}  // namespace anthill
