#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "sim/action_wrappers.hpp"
#include "sim/mujoco_env.hpp"
#include "sim/render_scene.hpp"

namespace anthill {
namespace {

constexpr int kMaxGeoms = 10'000;
constexpr double kChosen = -1000.0;  // SceneOptions: chosen for the model

/// `function` by MuJoCo's rules: an error leaves it by longjmp, so it is a lambda without captures.
template <class Context>
void guarded(const char* what, Context& context, void (*function)(void*)) {
  if (!call_mujoco(function, &context, /*count_warnings=*/false)) {
    throw std::runtime_error(std::string(what) + ": " + last_mujoco_warning());
  }
}

/// How the camera stands for a model.
struct View {
  int body = -1;  // whose tree is followed; -1: nothing is
  double radius = 1.0;
  mjtNum center[3] = {0, 0, 0};
  double azimuth = 90.0, elevation = -15.0;
};

/// Whether a body can travel: by a free joint, or by sliding without a limit.
bool travels(const mjModel& m, int body) {
  for (int i = 0; i < m.body_jntnum[body]; ++i) {
    const int joint = m.body_jntadr[body] + i;
    const bool slides = m.jnt_type[joint] == mjJNT_SLIDE && m.jnt_limited[joint] == 0;
    if (m.jnt_type[joint] == mjJNT_FREE || slides) return true;
  }
  return false;
}

/// How far slides with limits carry what is on them, when the camera stands still.
double reach_of(const mjModel& m) {
  double reach = 0.0;
  for (int i = 0; i < m.njnt; ++i) {
    if (m.jnt_type[i] != mjJNT_SLIDE || m.jnt_limited[i] == 0) continue;
    reach = std::max({reach, std::abs(m.jnt_range[2 * i]), std::abs(m.jnt_range[2 * i + 1])});
  }
  return reach;
}

/// Whether everything turns about vertical axes: then it is seen from above.
bool is_flat(const mjModel& m) {
  for (int i = 0; i < m.njnt; ++i) {
    if (m.jnt_type[i] == mjJNT_FREE || m.jnt_type[i] == mjJNT_BALL) return false;
    if (m.jnt_type[i] == mjJNT_HINGE && std::abs(m.jnt_axis[3 * i + 2]) < 0.9) return false;
  }
  return true;
}

/// From the model at its first configuration, so that every episode is seen alike.
View view_of(const mjModel& m, const mjData& d) {
  View view;
  for (int body = 1; body < m.nbody && view.body < 0; ++body) {
    if (travels(m, body)) view.body = body;
  }
  const int root = view.body < 0 ? 0 : m.body_rootid[view.body];
  std::copy_n(d.subtree_com + 3 * root, 3, view.center);
  view.radius = 0.0;
  for (int geom = 0; geom < m.ngeom; ++geom) {
    const int body = m.geom_bodyid[geom];
    // planes have no bounding sphere; worn by the world, a geom is scenery
    if (body == 0 || m.geom_type[geom] == mjGEOM_PLANE) continue;
    double distance = 0.0;
    for (int k = 0; k < 3; ++k) {
      distance += std::pow(d.geom_xpos[3 * geom + k] - view.center[k], 2);
    }
    view.radius = std::max(view.radius, std::sqrt(distance) + m.geom_rbound[geom]);
  }
  if (view.radius == 0.0) view.radius = m.stat.extent;
  if (view.body < 0) view.radius += reach_of(m);
  for (int i = 0; i < m.njnt; ++i) {
    if (m.jnt_type[i] != mjJNT_FREE) continue;
    // what moves in three dimensions is seen aslant
    view.azimuth = 120.0;
    view.elevation = -20.0;
  }
  if (is_flat(m)) view.elevation = -70.0;
  return view;
}

/// Contacts know no end of a plane; drawn with its sizes, a runner would leave the floor. The
/// texture stays as large as it was.
void make_floors_endless(mjModel& m) {
  for (int geom = 0; geom < m.ngeom; ++geom) {
    mjtNum* size = m.geom_size + 3 * geom;
    const int material = m.geom_matid[geom];
    if (m.geom_type[geom] != mjGEOM_PLANE || m.geom_bodyid[geom] != 0 || size[0] <= 0.0) continue;
    if (material >= 0 && m.mat_texuniform[material] == 0) {
      for (int k = 0; k < 2; ++k) {
        m.mat_texrepeat[2 * material + k] /= static_cast<float>(2.0 * size[k]);
      }
      m.mat_texuniform[material] = 1;
    }
    size[0] = size[1] = 0.0;
  }
}

class MujocoScene final : public Scene {
 public:
  MujocoScene(const MujocoEnv& env, const SceneOptions& options);
  ~MujocoScene() override;

  void draw(std::span<const double> state, std::span<const float> action, Image& image) override;
  std::string backend() const override { return context_->name(); }

 private:
  struct DeleteModel {
    void operator()(mjModel* model) const { mj_deleteModel(model); }
  };
  struct DeleteData {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };

  void point_camera();

  SceneOptions options_;
  std::unique_ptr<RenderContext> context_;  // outlives what MuJoCo keeps in it
  std::unique_ptr<mjModel, DeleteModel> model_;
  std::unique_ptr<mjData, DeleteData> data_;
  View view_;
  mjvScene scene_;
  mjvCamera camera_;
  mjvOption show_;
  mjrContext graphics_;
};

MujocoScene::MujocoScene(const MujocoEnv& env, const SceneOptions& options)
    : options_(options),
      context_(make_render_context(options.backend, options.width, options.height)),
      // a copy: the size of the frame buffer is part of a model, and floors change
      model_(mj_copyModel(nullptr, &env.model())) {
  if (model_ == nullptr) throw std::runtime_error("MuJoCo: no memory for a copy of the model");
  model_->vis.global.offwidth = options.width;
  model_->vis.global.offheight = options.height;
  make_floors_endless(*model_);
  data_.reset(mj_makeData(model_.get()));
  if (data_ == nullptr) throw std::runtime_error("MuJoCo: no memory for one more mjData");
  guarded("MuJoCo cannot place the model", *this, [](void* self) {
    auto& s = *static_cast<MujocoScene*>(self);
    mj_forward(s.model_.get(), s.data_.get());
  });
  view_ = view_of(*model_, *data_);
  mjv_defaultCamera(&camera_);
  mjv_defaultOption(&show_);
  mjv_defaultScene(&scene_);
  mjr_defaultContext(&graphics_);
  guarded("MuJoCo cannot render", *this, [](void* self) {
    auto& s = *static_cast<MujocoScene*>(self);
    mjv_makeScene(s.model_.get(), &s.scene_, kMaxGeoms);
    mjr_makeContext(s.model_.get(), &s.graphics_, mjFONTSCALE_100);
    mjr_setBuffer(mjFB_OFFSCREEN, &s.graphics_);
  });
  if (graphics_.currentBuffer != mjFB_OFFSCREEN) {
    throw std::runtime_error("MuJoCo cannot render: " + context_->name() +
                             " has no off-screen frame buffers");
  }
}

MujocoScene::~MujocoScene() {
  mjr_freeContext(&graphics_);
  mjv_freeScene(&scene_);
}

/// On the robot's centre of mass, which it follows along the ground but not in its ups and downs.
void MujocoScene::point_camera() {
  camera_.type = mjCAMERA_FREE;
  std::copy_n(view_.center, 3, camera_.lookat);
  if (view_.body >= 0) {
    const mjtNum* center = data_->subtree_com + 3 * model_->body_rootid[view_.body];
    camera_.lookat[0] = center[0];
    camera_.lookat[1] = center[1];
  }
  const double half_angle = model_->vis.global.fovy / 2.0 * mjPI / 180.0;
  camera_.distance = 1.35 * view_.radius / std::sin(half_angle) / options_.zoom;
  camera_.azimuth = options_.azimuth == kChosen ? view_.azimuth : options_.azimuth;
  camera_.elevation = options_.elevation == kChosen ? view_.elevation : options_.elevation;
}

void MujocoScene::draw(std::span<const double> state, std::span<const float>, Image& image) {
  mjModel& m = *model_;
  mjData& d = *data_;
  const auto nq = static_cast<std::size_t>(m.nq), nv = static_cast<std::size_t>(m.nv);
  // | qpos | qvel | qacc_warmstart | act |, see MujocoEnv
  std::copy_n(state.data(), nq, d.qpos);
  std::copy_n(state.data() + nq, nv, d.qvel);
  std::copy_n(state.data() + nq + 2 * nv, m.na, d.act);
  image = Image(options_.width, options_.height);
  struct Call {
    MujocoScene* scene;
    Image* image;
  } call{this, &image};
  guarded("MuJoCo cannot render", call, [](void* context) {
    auto& c = *static_cast<Call*>(context);
    MujocoScene& s = *c.scene;
    mj_fwdPosition(s.model_.get(), s.data_.get());
    s.point_camera();
    mjv_updateScene(s.model_.get(), s.data_.get(), &s.show_, nullptr, &s.camera_, mjCAT_ALL,
                    &s.scene_);
    const mjrRect viewport = {0, 0, s.options_.width, s.options_.height};
    mjr_render(viewport, &s.scene_, &s.graphics_);
    mjr_readPixels(c.image->bytes.data(), nullptr, viewport, &s.graphics_);
  });
  // OpenGL's rows begin at the bottom
  for (int y = 0; y < image.height / 2; ++y) {
    std::swap_ranges(image.row(y), image.row(y) + 3 * image.width, image.row(image.height - 1 - y));
  }
}

}  // namespace

std::unique_ptr<Scene> make_mujoco_scene(const std::shared_ptr<const Env>& env,
                                         const SceneOptions& options) {
  const auto& task = dynamic_cast<const MujocoEnv&>(without_wrappers(*env));
  return std::make_unique<MujocoScene>(task, options);
}

}  // namespace anthill
