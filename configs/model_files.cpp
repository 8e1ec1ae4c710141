#include "configs/model_files.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

namespace anthill {
namespace {

namespace fs = std::filesystem;

ModelFile read(const fs::path& path, const std::string& name) {
  std::ifstream stream(path, std::ios::binary);
  ModelFile file{path.string(), name, {std::istreambuf_iterator<char>(stream), {}}, false};
  file.is_readable = stream.is_open() && !stream.bad();
  return file;
}

struct Attributes {
  std::set<std::string> names;
  std::set<std::string> folders = {""};
};

void add_attributes(const std::string& xml, Attributes& found) {
  static const std::regex kAttribute(
      R"re(\b(file[a-z]*|meshdir|texturedir|assetdir)\s*=\s*(?:"([^"]*)"|'([^']*)'))re");
  for (std::sregex_iterator match(xml.begin(), xml.end(), kAttribute), end; match != end; ++match) {
    const std::string value = (*match)[2].str() + (*match)[3].str();
    ((*match)[1].str().starts_with("file") ? found.names : found.folders).insert(value);
  }
}

}  // namespace

std::vector<ModelFile> model_files(const std::string& path) {
  const fs::path place = fs::path(path).parent_path();
  std::vector<ModelFile> files = {read(path, fs::path(path).filename().string())};
  std::map<std::string, ModelFile> others;  // by path
  Attributes found;
  add_attributes(files[0].bytes, found);
  for (std::size_t known = 0; known != found.names.size() + found.folders.size();) {
    known = found.names.size() + found.folders.size();
    const Attributes now = found;
    for (const std::string& name : now.names) {
      for (const std::string& folder : now.folders) {
        const fs::path file = (place / folder / name).lexically_normal();
        std::error_code error;
        if (file == fs::path(path).lexically_normal() || others.contains(file.string()) ||
            !fs::is_regular_file(file, error)) {
          continue;
        }
        const ModelFile& other = others.emplace(file.string(), read(file, name)).first->second;
        if (file.extension() == ".xml") add_attributes(other.bytes, found);
      }
    }
  }
  for (auto& [file, other] : others) files.push_back(std::move(other));
  return files;
}

}  // namespace anthill
