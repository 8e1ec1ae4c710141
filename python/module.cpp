/// The compiled half of the Python package: anthill._anthill.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "configs/experiment.hpp"
#include "python/sim_options.hpp"
#include "python/simulator.hpp"
#include "sim/assets.hpp"
#include "sim/env_factory.hpp"
#include "sim/errors.hpp"
#include "sim/mujoco_info.hpp"

namespace nb = nanobind;

namespace anthill {
namespace {

using ActionArray = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using LaneArray = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// A list or tuple: of integers, real numbers (with integers among them) or texts.
Value list_value(const nb::sequence& list, const std::string& name) {
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  std::vector<std::string> texts;
  for (const nb::handle item : list) {
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
    if (nb::isinstance<nb::bool_>(item)) break;
    if (nb::try_cast(item, text)) texts.push_back(text);
    if (!nb::isinstance<nb::float_>(item) && nb::try_cast(item, integer))
      integers.push_back(integer);
    if (nb::try_cast(item, real)) reals.push_back(real);
  }
  const std::size_t size = nb::len(list);
  if (integers.size() == size) return integers;
  if (reals.size() == size) return reals;
  if (texts.size() == size) return texts;
  throw ConfigError(name + ": a list of other elements; give numbers or texts alone");
}

/// An option's value by its Python type; whether the option takes it is checked later.
Value option_value(const std::string& name, nb::handle object) {
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  if (nb::isinstance<nb::bool_>(object)) return nb::cast<bool>(object);
  if (!nb::isinstance<nb::float_>(object) && nb::try_cast(object, integer)) return integer;
  if (nb::try_cast(object, real)) return real;
  if (nb::try_cast(object, text)) return text;
  if (nb::isinstance<nb::list>(object) || nb::isinstance<nb::tuple>(object)) {
    return list_value(nb::cast<nb::sequence>(object), name);
  }
  throw ConfigError(name + ": a " + nb::type_name(object.type()).c_str() +
                    "; give a bool, a number, a text or a list of them");
}

SimOptions options_of(const nb::dict& dict) {
  SimOptions options;
  for (const auto& [key, value] : dict) {
    const auto name = nb::cast<std::string>(key);
    options.emplace_back(name, option_value(name, value));
  }
  return options;
}

void warn(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    if (PyErr_WarnEx(PyExc_UserWarning, warning.c_str(), 2) != 0) throw nb::python_error();
  }
}

nb::dict spec_dict(const EnvSpec& spec) {
  nb::dict dict;
  dict["name"] = spec.name;
  dict["observation_dim"] = spec.observation_dim;
  dict["action_dim"] = spec.action_dim;
  dict["num_actions"] = spec.num_actions;
  dict["action_low"] = spec.action_low;
  dict["action_high"] = spec.action_high;
  dict["max_episode_steps"] = spec.max_episode_steps;
  dict["control_dt"] = spec.control_dt;
  dict["reward_terms"] = spec.reward_terms;
  return dict;
}

/// A NumPy view of `values` that keeps `owner` alive. An empty one is a view too.
template <class T, class Stored>
nb::object view(std::vector<Stored>& values, std::initializer_list<std::size_t> shape,
                nb::handle owner) {
  static_assert(sizeof(T) == sizeof(Stored));
  return nb::cast(nb::ndarray<nb::numpy, T>(values.data(), shape, owner), nb::rv_policy::reference);
}

nb::dict rows_dict(nb::handle self, std::size_t set) {
  auto& simulator = nb::cast<Simulator&>(self);
  SimulatorRows& rows = simulator.rows(set);
  const auto n = static_cast<std::size_t>(simulator.num_envs());
  const auto d = static_cast<std::size_t>(simulator.spec().observation_dim);
  nb::dict dict;
  dict["observation"] = view<float>(rows.observation, {n, d}, self);
  dict["next_observation"] = view<float>(rows.next_observation, {n, d}, self);
  dict["observation_double"] = view<double>(rows.observation_double, {n, d}, self);
  dict["next_observation_double"] = view<double>(rows.next_observation_double, {n, d}, self);
  dict["reward"] = view<double>(rows.reward, {n}, self);
  dict["terms"] = view<double>(rows.terms, {n, simulator.spec().reward_terms.size()}, self);
  dict["terminated"] = view<bool>(rows.terminated, {n}, self);
  dict["truncated"] = view<bool>(rows.truncated, {n}, self);
  dict["invalid"] = view<bool>(rows.invalid, {n}, self);
  return dict;
}

/// (set, number of episodes that ended, number of invalid transitions)
nb::tuple finish_step(Simulator& simulator) {
  std::size_t set = 0;
  {
    const nb::gil_scoped_release other_threads_run;
    set = simulator.finish_step();
  }
  return nb::make_tuple(set, simulator.finished_episodes().size(),
                        simulator.invalid_transitions().size());
}

nb::list invalid_transitions(const Simulator& simulator) {
  nb::list list;
  for (const InvalidRecord& record : simulator.invalid_transitions()) {
    list.append(nb::make_tuple(record.env, record.seed, record.step));
  }
  return list;
}

void make_simulator(Simulator* self, const CheckedSim& sim,
                    const std::vector<std::uint64_t>& seeds) {
  warn(sim.warnings);
  new (self) Simulator(sim.config, seeds);
}

void bind_simulator(nb::module_& extension) {
  nb::class_<Simulator>(extension, "Simulator")
      .def("__init__",
           [](Simulator* self, const std::string& env, const nb::dict& options,
              std::int64_t num_envs, std::int64_t num_threads) {
             // checked before so many seeds are made
             const CheckedSim sim = sim_of_options(env, num_envs, num_threads, options_of(options));
             make_simulator(self, sim,
                            std::vector<std::uint64_t>(static_cast<std::size_t>(num_envs)));
           })
      .def_static("from_file",
                  [](const std::string& path, std::int64_t num_envs, std::int64_t num_threads) {
                    const CheckedSim sim = sim_of_file(path, num_envs, num_threads);
                    warn(sim.warnings);
                    const std::vector<std::uint64_t> seeds(static_cast<std::size_t>(num_envs));
                    return std::make_unique<Simulator>(sim.config, seeds);
                  })
      .def_prop_ro("spec", [](const Simulator& simulator) { return spec_dict(simulator.spec()); })
      .def_prop_ro("num_threads", &Simulator::num_threads)
      .def("rows", [](nb::handle self, std::size_t set) { return rows_dict(self, set); })
      .def("seed", &Simulator::seed)
      .def("reset",
           [](Simulator& simulator, const LaneArray& lanes) {
             const nb::gil_scoped_release other_threads_run;
             return simulator.reset({lanes.data(), lanes.size()});
           })
      .def("begin_step",
           [](Simulator& simulator, const ActionArray& actions, const LaneArray& held) {
             simulator.begin_step({actions.data(), actions.size()}, {held.data(), held.size()});
           })
      .def("finish_step", &finish_step)
      .def("step_all",
           [](Simulator& simulator, const ActionArray& actions) {
             const nb::gil_scoped_release other_threads_run;
             simulator.step_all({actions.data(), actions.size()});
           })
      .def("invalid_transitions", &invalid_transitions)
      .def("close", [](Simulator& simulator) {
        const nb::gil_scoped_release other_threads_run;
        simulator.close();
      });
}

void bind_module(nb::module_& extension) {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const ConfigError& error) {
      PyErr_SetString(PyExc_ValueError, error.what());
    }
  });
  bind_simulator(extension);
  extension.def("env_names", &env_names);
  extension.def("mujoco_version", &mujoco_version);
  extension.def("last_mujoco_warning", &last_mujoco_warning);
  extension.def("set_asset_folder", [](const std::string& folder) { set_asset_folder(folder); });
  // what Policy needs of a run: the task's shape and the bounds of its actions
  extension.def("spec_of_file", [](const std::string& path) {
    return spec_dict(make_env(sim_of_file(path, 1, 1).config)->spec());
  });
}

}  // namespace
}  // namespace anthill

NB_MODULE(_anthill, extension) { anthill::bind_module(extension); }
