// A number for the physics of a model: what is only drawn is left out.
#include <mujoco/mjxmacro.h>
#include <mujoco/mujoco.h>

#include "sim/mujoco_env.hpp"

namespace anthill {
namespace {

/// FNV-1a over the bytes of arrays.
class ByteHash {
 public:
  void add(const void* data, std::size_t num_bytes) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < num_bytes; ++i) value_ = (value_ ^ bytes[i]) * 0x100000001b3ull;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ull;
};

void add_options(ByteHash& hash, const mjOption& opt) {
#define X(type, name, n) hash.add(&opt.name, sizeof(type) * (n));
#define XVEC(type, name, n) hash.add(opt.name, sizeof(type) * (n));
  MJOPTION_FIELDS
#undef X
#undef XVEC
}

}  // namespace

std::uint64_t physics_hash(const mjModel& m) {
  ByteHash hash;
  add_options(hash, m.opt);
// MuJoCo's own lists of a model's arrays: (type, name, rows, columns)
#undef MJ_M
#define MJ_M(n) m.n
#define X(type, name, rows, columns) \
  hash.add(m.name, sizeof(type) * static_cast<std::size_t>(m.rows * (columns)));
#undef XNV
#define XNV X
  X(mjtNum, qpos0, nq, 1)
  X(mjtNum, qpos_spring, nq, 1)
  MJMODEL_POINTERS_BODY
  MJMODEL_POINTERS_JOINT
  MJMODEL_POINTERS_DOF
  MJMODEL_POINTERS_TREE
  MJMODEL_POINTERS_GEOM
  MJMODEL_POINTERS_SITE
  MJMODEL_POINTERS_FLEX
  MJMODEL_POINTERS_MESH
  MJMODEL_POINTERS_HFIELD
  MJMODEL_POINTERS_PAIR
  MJMODEL_POINTERS_EXCLUDE
  MJMODEL_POINTERS_EQUALITY
  MJMODEL_POINTERS_TENDON
  X(int, wrap_type, nwrap, 1)
  X(int, wrap_objid, nwrap, 1)
  X(mjtNum, wrap_prm, nwrap, 1)
  MJMODEL_POINTERS_ACTUATOR
  MJMODEL_POINTERS_SENSOR
#undef X
  return hash.value();
}

}  // namespace anthill
