#define BOOST_TEST_MODULE resume_rules
#include "configs/resume_rules.hpp"

#include "tests/configs/config_files.hpp"

using namespace anthill;

namespace {

std::string refusal(const ResolvedExperiment& now, const std::string& saved) {
  try {
    check_resume(now, saved, "saved.toml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

/// Another value that the field accepts.
std::string other_value(const Field& field, const Value& value) {
  if (const auto* now = std::get_if<std::string>(&value)) {
    for (const std::string& choice : field.choices) {
      if (choice != *now) return toml_string(choice);
    }
  }
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "false" : "true";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number + 8);
  return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(equal_settings_may_go_on) {
  const ResolvedExperiment now =
      read_text("[sim]\nenv = \"Ant-v4\"\n[actor]\nlog_std_min = -7.25\n");
  BOOST_TEST(check_resume(now, write_experiment(now, true), "saved.toml").empty());
  // a setting that is newer than the checkpoint has its default there
  BOOST_TEST(check_resume(read_text("[run]\nseed = 3\n"), "[run]\nseed = 3\n", "x").empty());
}

BOOST_AUTO_TEST_CASE(every_refused_difference_is_named) {
  const ResolvedExperiment before = read_text("[run]\nseed = 3\n");
  const std::string saved = write_experiment(before, false);
  const ResolvedExperiment now =
      read_text("[run]\nseed = 4\n[agent]\ntau = 0.01\n[training]\ntotal_env_steps = 2_000_000\n");
  const std::string text = refusal(now, saved);
  BOOST_TEST(text.find("run.seed (was 3, now 4)") != std::string::npos);
  BOOST_TEST(text.find("agent.tau (was 0.005, now 0.01)") != std::string::npos);
  BOOST_TEST(text.find("total_env_steps") == std::string::npos);
  BOOST_TEST(text.find("saved.toml") != std::string::npos);
  BOOST_TEST(text.find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_may_change_and_nothing_else) {
  const auto& allowed = keys_that_resume_may_change();
  for (const std::string& key : allowed) BOOST_TEST(find_field(key) != nullptr, key);
  const ResolvedExperiment before = read_text("[run]\nseed = 3\n");
  const std::string saved = write_experiment(before, false);
  int refused = 0, accepted = 0;
  for (const Field& field : fields()) {
    const std::string value = other_value(field, field.get(before.config));
    if (value.empty() || field.section.starts_with("sim.") || field.key() == "agent.preset")
      continue;
    ResolvedExperiment now = before;
    for (const auto& changed : {field.key() + "=" + value}) {
      try {
        now = read_text("[run]\nseed = 3\n", {changed});
      } catch (const ConfigError&) {
        continue;  // not a value of its own
      }
    }
    if (field.get(now.config) == field.get(before.config)) continue;
    const bool may = std::ranges::count(allowed, field.key()) > 0;
    BOOST_TEST(refusal(now, saved).empty() == may, field.key());
    if (may) BOOST_TEST(check_resume(now, saved, "x").size() == 1u, field.key());
    ++(may ? accepted : refused);
  }
  BOOST_TEST(accepted > 8);
  BOOST_TEST(refused > 15);
}

BOOST_AUTO_TEST_CASE(the_page_lists_them) {
  const std::string page = file_text("docs/resume.md");
  for (const std::string& key : keys_that_resume_may_change()) {
    const std::string section = "`[" + key.substr(0, key.find('.')) + "]`";
    BOOST_TEST((page.find("`" + key + "`") != std::string::npos ||
                page.find(section) != std::string::npos),
               key);
  }
}
