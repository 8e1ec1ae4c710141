#define BOOST_TEST_MODULE provenance
#include "algos/training/provenance.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "sim/thread_pool.hpp"
#include "tests/algos/temporary_folder.hpp"

namespace anthill {

using Json = nlohmann::json;

BOOST_AUTO_TEST_CASE(sha256_known_answers) {
  const TemporaryFolder folder;
  write_content(folder / "abc", "abc");  // FIPS 180-2, appendix B.1
  BOOST_TEST(sha256_of_file(folder / "abc") ==
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  write_content(folder / "a", std::string(1'000'000, 'a'));  // appendix B.3, many blocks
  BOOST_TEST(sha256_of_file(folder / "a") ==
             "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  BOOST_TEST(sha256_of_file(folder / "missing") == "unknown");
  BOOST_TEST(sha256_of_file(folder.path()) == "unknown");
}

BOOST_AUTO_TEST_CASE(what_it_says) {
  const TemporaryFolder folder;
  write_content(folder / "abc", "abc");
  const Json json = Json::parse(collect_provenance({.run_name = "first",
                                                    .anthill_version = "1.2.3",
                                                    .compiler = "GNU 12",
                                                    .compiler_flags = "-O3 \"quoted\"",
                                                    .device = "cpu",
                                                    .model_xml_path = folder / "abc",
                                                    .arguments = {"anthill", "train", "x\xff"},
                                                    .simulation_threads = 3,
                                                    .learner_threads = 2}));
  BOOST_TEST(json["name"] == "first");
  BOOST_TEST(json["anthill_version"] == "1.2.3");
  BOOST_TEST(json["build"]["flags"] == "-O3 \"quoted\"");
  BOOST_TEST(json["model_xml"]["sha256"].get<std::string>().starts_with("ba7816bf"));
  BOOST_TEST(json["executable"]["sha256"] == sha256_of_file("/proc/self/exe"));
  BOOST_TEST(json["arguments"].size() == 3u);
  BOOST_TEST(json["machine"]["available_cores"].get<int>() == num_available_cores());
  BOOST_TEST(json["machine"]["gpu_driver"] == gpu_driver_version());
  BOOST_TEST(json["threads"]["simulation"] == 3);
  BOOST_TEST(json["threads"]["learner"] == 2);
  BOOST_TEST(json["machine"]["memory_mib"].get<int>() > 0);
  BOOST_TEST(json["source"]["git_commit"] == "unknown");
  BOOST_TEST(json["end_time_utc"].is_null());

  const Json finished = Json::parse(finished_provenance(json.dump(), "2025-01-31T23:59:59Z", 1.5));
  BOOST_TEST(finished["end_time_utc"] == "2025-01-31T23:59:59Z");
  BOOST_TEST(finished["wall_time_s"] == 1.5);
  BOOST_TEST(finished["arguments"] == json["arguments"]);
}

BOOST_AUTO_TEST_CASE(the_driver_version_is_read_from_either_form) {
  const TemporaryFolder folder;
  BOOST_TEST(gpu_driver_version(folder / "missing") == "none");
  write_content(
      folder / "open",
      "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n"
      "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n");
  BOOST_TEST(gpu_driver_version(folder / "open") == "580.65.06");
  write_content(folder / "closed",
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 2023\n");
  BOOST_TEST(gpu_driver_version(folder / "closed") == "535.104.05");
  const Json unknown = Json::parse(collect_provenance({}));
  BOOST_TEST(unknown["threads"]["simulation"] == "unknown");
}

static Json source_of(const std::filesystem::path& folder) {
  return Json::parse(collect_provenance({.source_dir = folder}))["source"];
}

BOOST_AUTO_TEST_CASE(git_state_of_the_sources) {
  const TemporaryFolder folder;
  const std::filesystem::path checkout = folder / "it's a checkout";
  std::filesystem::create_directories(checkout / "inside");
  write_content(checkout / "tracked", "one");
  const std::string script =
      "cd \"" + checkout.string() +
      "\" && unset GIT_DIR GIT_WORK_TREE && git init -q . && git add tracked && "
      "git -c user.name=a -c user.email=a@b commit -q -m c";
  BOOST_REQUIRE(std::system(script.c_str()) == 0);

  const Json clean = source_of(checkout);
  BOOST_TEST(clean["git_commit"].get<std::string>().size() == 40u);
  BOOST_TEST(clean["git_dirty"] == false);
  BOOST_TEST(source_of(checkout / "inside")["git_commit"] == "unknown");

  write_content(checkout / "tracked", "two");
  const Json changed = source_of(checkout);
  BOOST_TEST(changed["git_commit"] == clean["git_commit"]);
  BOOST_TEST(changed["git_dirty"] == true);
  write_content(checkout / "new", "three");
  const Json added = source_of(checkout);
  BOOST_TEST(added["git_dirty_sha256"] != changed["git_dirty_sha256"]);
  write_content(checkout / "new", "four");
  BOOST_TEST(source_of(checkout)["git_dirty_sha256"] != added["git_dirty_sha256"]);
  write_content(checkout / "new", "three");
  BOOST_TEST(source_of(checkout) == added);
}

}  // namespace anthill
