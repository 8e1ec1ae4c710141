/// OpenGL without a window, found at run time: no binary is linked with a graphics library.
#pragma once

#include <memory>
#include <string>

namespace anthill {

enum class GlBackend { automatic, egl, osmesa };

/// A current OpenGL context of this thread; gone with the object. One at a time per process.
class RenderContext {
 public:
  virtual ~RenderContext() = default;

  /// "EGL" or "OSMesa".
  virtual std::string name() const = 0;
};

/// EGL (a GPU's driver, libEGL.so.1), else OSMesa (the CPU, libOSMesa.so); `backend` asks for one
/// alone. Tells MuJoCo which (MUJOCO_GL). `width`, `height`: of OSMesa's own buffer, at least the
/// viewport. Throws std::runtime_error that says why neither works and what to install.
std::unique_ptr<RenderContext> make_render_context(GlBackend backend, int width, int height);

}  // namespace anthill
