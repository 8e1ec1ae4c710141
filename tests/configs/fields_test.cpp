/// The field table itself: complete, unique, documented, with defaults that it accepts.
#define BOOST_TEST_MODULE fields
#include "configs/fields.hpp"

#include <cmath>
#include <limits>
#include <set>

#include "tests/configs/config_files.hpp"

using namespace anthill;

BOOST_AUTO_TEST_CASE(every_field_is_unique_and_documented) {
  std::set<std::string> keys;
  std::set<std::string> closed_sections;
  std::string section;
  for (const Field& field : fields()) {
    BOOST_TEST_CONTEXT(field.key()) {
      BOOST_TEST(keys.insert(field.key()).second);
      BOOST_TEST(field.doc.size() > 10);
      BOOST_TEST(field.doc.ends_with('.'));
      BOOST_TEST(field.doc.find_first_of("\n#") == std::string::npos);
      BOOST_TEST(find_field(field.key()) == &field);
      if (field.section != section) {
        // sections are contiguous, or reference.toml would open one twice
        BOOST_TEST(closed_sections.insert(field.section).second);
        section = field.section;
      }
    }
  }
  BOOST_TEST(keys.size() > 50u);
  BOOST_TEST((find_field("training") == nullptr));
  BOOST_TEST((find_field("") == nullptr));
}

BOOST_AUTO_TEST_CASE(every_default_is_accepted) {
  for (const Field& field : fields()) {
    BOOST_TEST(check_value(field, field.get(ExperimentConfig{})) == "");
  }
}

BOOST_AUTO_TEST_CASE(set_reaches_what_get_reads_and_nothing_else) {
  const std::vector<std::string> defaults = values_of(ExperimentConfig{});
  for (std::size_t i = 0; i < fields().size(); ++i) {
    const Field& field = fields()[i];
    Value value = field.get(ExperimentConfig{});
    switch (field.type) {
      case FieldType::boolean:
        value = !std::get<bool>(value);
        break;
      case FieldType::integer:
        value = std::get<std::int64_t>(value) + 1;
        break;
      case FieldType::real:
        value = std::get<double>(value) / 2 + 0.125;
        break;
      case FieldType::text:
        value = field.choices.empty() ? std::string("other") : field.choices.back();
        break;
      case FieldType::integers:
        value = std::vector<std::int64_t>{3, 5};
        break;
      case FieldType::reals:
        value = std::vector<double>{0.25, 0.75};
        break;
      case FieldType::texts:
        value = std::vector<std::string>{"one", "two"};
        break;
      case FieldType::real_lists:
        value = std::vector<std::vector<double>>{{-3.0}, {0.5, 3.0}};
        break;
    }
    ExperimentConfig config;
    field.set(config, value);
    std::vector<std::string> expected = defaults;
    expected[i] = field.key() + " = " + toml_value(value);
    const std::vector<std::string> values = values_of(config);
    BOOST_TEST(values == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(every_choice_survives_the_enumeration) {
  for (const Field& field : fields()) {
    for (const std::string& choice : field.choices) {
      ExperimentConfig config;
      const bool list = field.type == FieldType::texts;
      const Value value = list ? Value(std::vector{choice}) : Value(choice);
      BOOST_TEST(check_value(field, value) == "");
      field.set(config, value);
      BOOST_TEST((field.get(config) == value));
    }
  }
}

BOOST_AUTO_TEST_CASE(bounds_are_open_or_closed_as_documented) {
  const Field& tau = *find_field("agent.tau");
  BOOST_TEST(describe_accepted(tau) == "a finite real number in (0.0, 1.0]");
  BOOST_TEST(check_value(tau, 1.0) == "");
  BOOST_TEST(check_value(tau, 0.0) ==
             "agent.tau must be a finite real number in (0.0, 1.0], got 0.0; write for example "
             "tau = 0.005");
  BOOST_TEST(check_value(tau, std::nextafter(1.0, 2.0)) != "");
  BOOST_TEST(check_value(tau, std::numeric_limits<double>::quiet_NaN()) != "");
  BOOST_TEST(check_value(tau, std::int64_t{1}) != "");
  const Field& discount = *find_field("agent.discount");
  BOOST_TEST(check_value(discount, 0.0) == "");
  BOOST_TEST(check_value(discount, -1e-300) != "");
  const Field& weight = *find_field("sim.ant.healthy_reward");
  BOOST_TEST(check_value(weight, -1e300) == "");
  BOOST_TEST(check_value(weight, std::numeric_limits<double>::infinity()) != "");
}

BOOST_AUTO_TEST_CASE(presets_of_sac_set_the_same_keys_and_sb3_is_the_default) {
  const Preset& sb3 = find_preset("sb3");
  const Preset& jaxrl = find_preset("jaxrl");
  BOOST_REQUIRE(sb3.values.size() == jaxrl.values.size());
  for (std::size_t i = 0; i < sb3.values.size(); ++i) {
    BOOST_TEST(sb3.values[i].first == jaxrl.values[i].first);
    const Field* field = find_field(sb3.values[i].first);
    BOOST_REQUIRE(field != nullptr);
    BOOST_TEST(check_value(*field, jaxrl.values[i].second) == "");
    BOOST_TEST(toml_value(field->get(ExperimentConfig{})) == toml_value(sb3.values[i].second));
  }
}

BOOST_AUTO_TEST_CASE(presets_hold_valid_values) {
  for (const Preset& preset : presets()) {
    for (const auto& [key, value] : preset.values) {
      const Field* field = find_field(key);
      BOOST_REQUIRE(field != nullptr);
      BOOST_TEST(check_value(*field, value) == "", key);
    }
  }
}

BOOST_AUTO_TEST_CASE(values_as_toml) {
  BOOST_TEST(toml_value(true) == "true");
  BOOST_TEST(toml_value(std::int64_t{-5}) == "-5");
  BOOST_TEST(toml_value(1.0) == "1.0");
  BOOST_TEST(toml_value(-0.0) == "-0.0");
  BOOST_TEST(toml_value(3e-4) == "3e-4");
  BOOST_TEST(toml_value(1e300) == "1e300");
  BOOST_TEST(toml_value(0.1 + 0.2) == "0.30000000000000004");
  BOOST_TEST(toml_value(std::string("a\"\\\n\x01")) == "\"a\\\"\\\\\\n\\u0001\"");
  BOOST_TEST(toml_value(std::vector<double>{}) == "[]");
  BOOST_TEST(toml_value(std::vector<std::int64_t>{1, 2}) == "[1, 2]");
  BOOST_TEST(printable("\xc3\xa9\xc3\xa9", 3) == "\xc3\xa9...");
}
