#include "algos/training/provenance.hpp"

#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "algos/checkpoint/sha256.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {
namespace {

using Json = nlohmann::ordered_json;

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char letter : text)
    quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

/// Output of `git ARGUMENTS` in `folder`; nothing when git is missing or fails.
std::optional<std::string> git(const std::string& folder, const std::string& arguments) {
  const std::string command =
      "env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE GIT_OPTIONAL_LOCKS=0 git -C " +
      shell_quoted(folder) + " " + arguments + " 2>/dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string output;
  std::array<char, 1 << 14> block;
  for (std::size_t size; (size = std::fread(block.data(), 1, block.size(), pipe)) > 0;) {
    output.append(block.data(), size);
  }
  const int status = ::pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return output;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// The commit, and a hash of what differs from it: the tracked files' diff, then each untracked
/// file's name and bytes.
Json source_state(const std::string& folder) {
  const Json unknown = {
      {"git_commit", "unknown"}, {"git_dirty", nullptr}, {"git_dirty_sha256", nullptr}};
  const auto top = git(folder, "rev-parse --show-toplevel");
  std::error_code error;
  // a folder inside somebody else's repository has no commit of ours
  if (folder.empty() || !top || !std::filesystem::equivalent(first_line(*top), folder, error)) {
    return unknown;
  }
  const auto commit = git(folder, "rev-parse HEAD");
  const auto diff = git(folder, "diff HEAD --binary --no-color --no-ext-diff --no-textconv");
  const auto untracked = git(folder, "ls-files --others --exclude-standard -z");
  if (!commit || !diff || !untracked) return unknown;
  Json state = {
      {"git_commit", first_line(*commit)}, {"git_dirty", false}, {"git_dirty_sha256", nullptr}};
  if (diff->empty() && untracked->empty()) return state;
  Sha256 hash;
  hash.add(diff->data(), diff->size());
  for (std::size_t begin = 0; begin < untracked->size();) {
    const std::string name = untracked->c_str() + begin;
    hash.add(name.data(), name.size() + 1);
    hash.add_file(folder + "/" + name);
    begin += name.size() + 1;
  }
  state["git_dirty"] = true;
  state["git_dirty_sha256"] = hash.hex();
  return state;
}

/// The value after "KEY ... SEPARATOR" in a file of such lines.
std::string field_of_file(const char* path, const std::string& key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    std::size_t begin = line.find(separator);
    if (begin == std::string::npos) continue;
    begin = line.find_first_not_of(" \t\"", begin + 1);
    if (begin == std::string::npos) continue;
    return line.substr(begin, line.find_last_not_of(" \t\"") + 1 - begin);
  }
  return "unknown";
}

std::string known(const std::string& text) { return text.empty() ? "unknown" : text; }
Json known(int number) { return number > 0 ? Json(number) : Json("unknown"); }

Json machine(const ProvenanceInputs& inputs) {
  struct utsname system {};
  ::uname(&system);
  const long pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGESIZE);
  return {{"os", field_of_file("/etc/os-release", "PRETTY_NAME", '=')},
          {"kernel", std::string(system.sysname) + " " + system.release},
          {"architecture", system.machine},
          {"cpu", field_of_file("/proc/cpuinfo", "model name", ':')},
          {"cores", ::sysconf(_SC_NPROCESSORS_ONLN)},
          {"available_cores", num_available_cores()},
          {"memory_mib", static_cast<long>(static_cast<double>(pages) *
                                           static_cast<double>(page_bytes) / 1048576.0)},
          {"device", known(inputs.device)},
          {"gpu", known(inputs.gpu_name)},
          {"gpu_driver", gpu_driver_version()}};
}

std::string text_of(const Json& json) {
  // arguments and paths may be any bytes
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string collect_provenance(const ProvenanceInputs& inputs) {
  Json source = source_state(inputs.source_dir);
  std::error_code error;
  const std::string executable = std::filesystem::read_symlink("/proc/self/exe", error).string();
  const bool no_model = inputs.model_xml_path == "none";
  const Json json = {
      {"name", known(inputs.run_name)},
      {"anthill_version", known(inputs.anthill_version)},
      {"source", std::move(source)},
      {"executable", {{"path", known(executable)}, {"sha256", sha256_of_file("/proc/self/exe")}}},
      {"build",
       {{"compiler", known(inputs.compiler)},
        {"flags", known(inputs.compiler_flags)},
        {"type", known(inputs.build_type)}}},
      {"libraries",
       {{"mujoco", known(inputs.mujoco_version)},
        {"libtorch", known(inputs.libtorch_version)},
        {"cuda", known(inputs.cuda_version)}}},
      {"machine", machine(inputs)},
      {"threads",
       {{"simulation", known(inputs.simulation_threads)},
        {"learner", known(inputs.learner_threads)}}},
      {"model_xml",
       {{"path", known(inputs.model_xml_path)},
        {"sha256", no_model ? "none" : sha256_of_file(inputs.model_xml_path)}}},
      {"arguments", inputs.arguments},
      {"start_time_utc", utc_time_now()},
      {"end_time_utc", nullptr},
      {"wall_time_s", nullptr}};
  return text_of(json);
}

std::string resumed_provenance(const std::string& earlier, const std::string& text,
                               const std::string& checkpoint) {
  Json json = Json::parse(text), history = Json::array();
  json["resumed_from"] = checkpoint;
  Json before = Json::parse(earlier, nullptr, false);
  if (before.is_object()) {
    if (before.contains("earlier") && before["earlier"].is_array()) history = before["earlier"];
    before.erase("earlier");
    history.push_back(std::move(before));
  }
  json["earlier"] = std::move(history);
  return text_of(json);
}

std::string finished_provenance(const std::string& text, const std::string& end_time_utc,
                                double wall_time_s) {
  Json json = Json::parse(text);
  json["end_time_utc"] = end_time_utc;
  json["wall_time_s"] = wall_time_s;
  return text_of(json);
}

std::string sha256_of_file(const std::string& path) {
  Sha256 hash;
  return hash.add_file(path) ? hash.hex() : "unknown";
}

std::string utc_time_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string gpu_driver_version(const std::string& path) {
  std::ifstream file(path);
  // "NVRM version: ... Kernel Module ...  580.65.06  ...": the first word like a version
  for (std::string word; file >> word;) {
    const bool is_version = word.find_first_not_of("0123456789.") == std::string::npos &&
                            word.find('.') != std::string::npos;
    if (is_version) return word;
  }
  return "none";
}

}  // namespace anthill
