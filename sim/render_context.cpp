#include "sim/render_context.hpp"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <initializer_list>
#include <stdexcept>
#include <vector>

namespace anthill {
namespace {

/// A library that is looked for when it is needed. It stays loaded: drivers do not survive a
/// dlclose().
class Library {
 public:
  explicit Library(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      // global: MuJoCo looks for the functions among the process's own
      handle_ = ::dlopen(name, RTLD_NOW | RTLD_GLOBAL);
      if (handle_ != nullptr) return;
    }
    throw std::runtime_error(std::string(*names.begin()) + " is not installed");
  }

  template <class Function>
  Function* find(const char* name) const {
    void* address = ::dlsym(handle_, name);
    if (address == nullptr) throw std::runtime_error(std::string(name) + " is missing");
    return reinterpret_cast<Function*>(address);
  }

 private:
  void* handle_ = nullptr;
};

// what the libraries' headers define; the headers are not needed to build
constexpr int kDepthBits = 24, kStencilBits = 8;

class OsmesaContext final : public RenderContext {
 public:
  OsmesaContext(int width, int height)
      : library_{"libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"},
        buffer_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4) {
    constexpr unsigned kRgba = 0x1908, kUnsignedByte = 0x1401;
    const auto create =
        library_.find<void*(unsigned, int, int, int, void*)>("OSMesaCreateContextExt");
    const auto make_current =
        library_.find<unsigned char(void*, void*, unsigned, int, int)>("OSMesaMakeCurrent");
    destroy_ = library_.find<void(void*)>("OSMesaDestroyContext");
    context_ = create(kRgba, kDepthBits, kStencilBits, 0, nullptr);
    if (context_ == nullptr) throw std::runtime_error("OSMesa makes no context");
    if (make_current(context_, buffer_.data(), kUnsignedByte, width, height) == 0) {
      destroy_(context_);
      throw std::runtime_error("OSMesa's context cannot be made current");
    }
  }
  ~OsmesaContext() override { destroy_(context_); }
  std::string name() const override { return "OSMesa"; }

 private:
  Library library_;
  std::vector<unsigned char> buffer_;
  void (*destroy_)(void*) = nullptr;
  void* context_ = nullptr;
};

class EglContext final : public RenderContext {
 public:
  EglContext() : library_{"libEGL.so.1", "libEGL.so"} {
    find_display();
    try {
      make_context();
    } catch (...) {
      library_.find<unsigned(void*)>("eglTerminate")(display_);
      throw;
    }
  }
  ~EglContext() override {
    library_.find<unsigned(void*, void*, void*, void*)>("eglMakeCurrent")(display_, nullptr,
                                                                          nullptr, nullptr);
    library_.find<unsigned(void*, void*)>("eglDestroyContext")(display_, context_);
    library_.find<unsigned(void*)>("eglTerminate")(display_);
  }
  std::string name() const override { return "EGL"; }

 private:
  template <class Function>
  Function* extension(const char* name) const {
    void* address = library_.find<void*(const char*)>("eglGetProcAddress")(name);
    if (address == nullptr) throw std::runtime_error(std::string("EGL lacks ") + name);
    return reinterpret_cast<Function*>(address);
  }

  /// The first device whose display starts: each is a GPU, or a driver for the CPU.
  void find_display() {
    constexpr unsigned kPlatformDevice = 0x313F;
    std::array<void*, 32> devices{};
    int num_devices = 0;
    extension<unsigned(int, void**, int*)>("eglQueryDevicesEXT")(static_cast<int>(devices.size()),
                                                                 devices.data(), &num_devices);
    const auto display_of =
        extension<void*(unsigned, void*, const int*)>("eglGetPlatformDisplayEXT");
    const auto initialize = library_.find<unsigned(void*, int*, int*)>("eglInitialize");
    for (int i = 0; i < num_devices; ++i) {
      void* display = display_of(kPlatformDevice, devices[static_cast<std::size_t>(i)], nullptr);
      if (display == nullptr || initialize(display, nullptr, nullptr) == 0) continue;
      display_ = display;
      return;
    }
    throw std::runtime_error("EGL has no device that starts (of " + std::to_string(num_devices) +
                             ")");
  }

  void make_context() {
    constexpr unsigned kOpenGlApi = 0x30A2;
    // red, green, blue, alpha, depth and stencil bits; a pbuffer's surface; OpenGL
    const std::array<int, 17> wanted = {0x3024, 8, 0x3023, 8,          0x3022, 8,
                                        0x3021, 8, 0x3025, kDepthBits, 0x3026, kStencilBits,
                                        0x3033, 1, 0x3040, 8,          0x3038};
    void* config = nullptr;
    int num_configs = 0;
    library_.find<unsigned(void*, const int*, void**, int, int*)>("eglChooseConfig")(
        display_, wanted.data(), &config, 1, &num_configs);
    if (num_configs < 1) throw std::runtime_error("EGL has no fitting frame buffer");
    library_.find<unsigned(unsigned)>("eglBindAPI")(kOpenGlApi);
    context_ = library_.find<void*(void*, void*, void*, const int*)>("eglCreateContext")(
        display_, config, nullptr, nullptr);
    if (context_ == nullptr) throw std::runtime_error("EGL makes no OpenGL context");
    // no surface: MuJoCo renders into a frame buffer of its own
    const auto make_current = library_.find<unsigned(void*, void*, void*, void*)>("eglMakeCurrent");
    if (make_current(display_, nullptr, nullptr, context_) == 0) {
      throw std::runtime_error("EGL's context cannot be made current without a surface");
    }
  }

  Library library_;
  void* display_ = nullptr;
  void* context_ = nullptr;
};

std::unique_ptr<RenderContext> make(GlBackend backend, int width, int height) {
  if (backend == GlBackend::egl) return std::make_unique<EglContext>();
  return std::make_unique<OsmesaContext>(width, height);
}

}  // namespace

std::unique_ptr<RenderContext> make_render_context(GlBackend backend, int width, int height) {
  std::string why;
  for (const GlBackend each : {GlBackend::egl, GlBackend::osmesa}) {
    if (backend != GlBackend::automatic && backend != each) continue;
    const bool is_egl = each == GlBackend::egl;
    try {
      auto context = make(each, width, height);
      ::setenv("MUJOCO_GL", is_egl ? "egl" : "osmesa", 1);
      return context;
    } catch (const std::runtime_error& error) {
      why += (why.empty() ? "" : "; ") + std::string(is_egl ? "EGL: " : "OSMesa: ") + error.what();
    }
  }
  throw std::runtime_error("no OpenGL without a window: " + why +
                           "; install libosmesa6 (any CPU), or libegl1 with a GPU's driver");
}

}  // namespace anthill
