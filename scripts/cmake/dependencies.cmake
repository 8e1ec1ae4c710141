# Every third-party library as an IMPORTED target. Versions are pinned in scripts/setup.
# Own installations: -DTORCH_ROOT=, -DMUJOCO_ROOT=, -DTHRUST_INCLUDE_DIR=, -DANTHILL_ASSETS_DIR= (or the environment).

find_package(Threads REQUIRED)

if(ANTHILL_PYTHON)
  # the checkout's Python, or the one that builds a wheel
  if(NOT SKBUILD)
    set(Python_EXECUTABLE ${CMAKE_SOURCE_DIR}/.venv/bin/python)
  endif()
  find_package(Python 3.11 COMPONENTS Interpreter Development.Module)
  if(NOT Python_Development.Module_FOUND)
    message(FATAL_ERROR "Python's headers were not found; install python3-dev, or set -DANTHILL_PYTHON=OFF")
  endif()
endif()

# where the pinned wheels are: in the checkout, or in the environment that builds Python's wheel
file(GLOB venv_packages ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages)
if(SKBUILD)
  execute_process(COMMAND ${Python_EXECUTABLE} -c
    "import importlib.util as u, pathlib; print(pathlib.Path(u.find_spec('mujoco').origin).parents[1])"
    OUTPUT_VARIABLE venv_packages OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()

function(anthill_root variable default marker hint)
  if(NOT ${variable})
    if(DEFINED ENV{${variable}})
      set(${variable} $ENV{${variable}} CACHE PATH "" FORCE)
    else()
      set(${variable} ${default} CACHE PATH "" FORCE)
    endif()
  endif()
  if(NOT EXISTS ${${variable}}/${marker})
    message(FATAL_ERROR "${variable}: no ${marker} in '${${variable}}'; run scripts/setup or set ${variable} (${hint})")
  endif()
endfunction()

# MuJoCo: the library's soname is its full version, so the file is linked by its absolute path
anthill_root(MUJOCO_ROOT "${venv_packages}/mujoco" include/mujoco/mujoco.h "folder of the mujoco wheel or release")
file(GLOB mujoco_library ${MUJOCO_ROOT}/libmujoco.so.* ${MUJOCO_ROOT}/lib/libmujoco.so)
list(GET mujoco_library 0 mujoco_library)
add_library(mujoco::mujoco SHARED IMPORTED)
set_target_properties(mujoco::mujoco PROPERTIES IMPORTED_LOCATION ${mujoco_library}
  INTERFACE_INCLUDE_DIRECTORIES ${MUJOCO_ROOT}/include)

# Gymnasium's MJCF files
anthill_root(ANTHILL_ASSETS_DIR "${venv_packages}/gymnasium/envs/mujoco/assets" ant.xml "folder of Gymnasium's MJCF files")

# the nanobind wheel; a static library in the module
if(ANTHILL_PYTHON)
  find_package(nanobind CONFIG REQUIRED PATHS ${venv_packages}/nanobind/cmake NO_DEFAULT_PATH)
endif()

# Debian: libbox2d-dev libtomlplusplus-dev
find_path(BOX2D_INCLUDE_DIR box2d/box2d.h REQUIRED)
find_library(BOX2D_LIBRARY box2d REQUIRED)
add_library(box2d::box2d INTERFACE IMPORTED)
target_include_directories(box2d::box2d SYSTEM INTERFACE ${BOX2D_INCLUDE_DIR})
target_link_libraries(box2d::box2d INTERFACE ${BOX2D_LIBRARY})
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
add_library(tomlplusplus::tomlplusplus INTERFACE IMPORTED)
target_include_directories(tomlplusplus::tomlplusplus SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE_DIR})

# the rest is for the commands
if(NOT ANTHILL_COMMANDS)
  return()
endif()

find_package(OpenMP REQUIRED)
# OpenMP by its flag: CMake's own target would put gcc's folder into the run path, beside LibTorch's copy of libgomp
add_library(openmp::openmp INTERFACE IMPORTED)
target_compile_options(openmp::openmp INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${OpenMP_CXX_FLAGS}>)
target_link_libraries(openmp::openmp INTERFACE ${OpenMP_CXX_FLAGS})

# Thrust: from the toolkit in CUDA builds, otherwise from the nvidia-cuda-cccl wheel. Device system 4 is
# THRUST_DEVICE_SYSTEM_CPP, so that g++ needs no CUDA header; nvcc keeps its own default.
if(ANTHILL_CUDA)
  list(GET CUDAToolkit_INCLUDE_DIRS 0 cuda_include)
  set(cccl_default ${cuda_include}/cccl)
else()
  set(cccl_default ${venv_packages}/nvidia/cu13/include/cccl)
endif()
anthill_root(THRUST_INCLUDE_DIR "${cccl_default}" thrust/version.h "folder that holds thrust/")
add_library(cccl::cccl INTERFACE IMPORTED)
target_include_directories(cccl::cccl SYSTEM INTERFACE ${THRUST_INCLUDE_DIR})
target_compile_definitions(cccl::cccl INTERFACE
  $<$<NOT:$<COMPILE_LANGUAGE:CUDA>>:THRUST_DEVICE_SYSTEM=4 CCCL_DISABLE_CTK_COMPATIBILITY_CHECK=1>)

# LibTorch by its own libraries: no CUDA toolkit is needed to configure a CPU build
if(ANTHILL_LEARNER)
  anthill_root(TORCH_ROOT "${venv_packages}/torch" lib/libtorch_cpu.so "folder of the torch wheel or a LibTorch release")
  add_library(torch::torch INTERFACE IMPORTED)
  target_include_directories(torch::torch SYSTEM INTERFACE
    ${TORCH_ROOT}/include ${TORCH_ROOT}/include/torch/csrc/api/include)
  target_link_libraries(torch::torch INTERFACE ${TORCH_ROOT}/lib/libtorch_cpu.so ${TORCH_ROOT}/lib/libc10.so)
  target_link_options(torch::torch INTERFACE -Wl,--allow-shlib-undefined -Wl,-rpath,${TORCH_ROOT}/lib)
  if(ANTHILL_CUDA)
    target_include_directories(torch::torch SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
    target_link_libraries(torch::torch INTERFACE -Wl,--no-as-needed
      ${TORCH_ROOT}/lib/libtorch_cuda.so ${TORCH_ROOT}/lib/libc10_cuda.so -Wl,--as-needed CUDA::cudart)
  endif()
endif()

# Debian: libcli11-dev libboost-test-dev nlohmann-json3-dev libssl-dev libpng-dev
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)
add_library(cli11::cli11 INTERFACE IMPORTED)
target_include_directories(cli11::cli11 SYSTEM INTERFACE ${CLI11_INCLUDE_DIR})
find_path(NLOHMANN_JSON_INCLUDE_DIR nlohmann/json.hpp REQUIRED)
add_library(nlohmann::json INTERFACE IMPORTED)
target_include_directories(nlohmann::json SYSTEM INTERFACE ${NLOHMANN_JSON_INCLUDE_DIR})
find_path(PNG_INCLUDE_DIR png.h REQUIRED)
find_library(PNG_LIBRARY NAMES libpng.a png REQUIRED)  # statically where possible, as below
find_library(Z_LIBRARY NAMES libz.a z REQUIRED)
add_library(png::png INTERFACE IMPORTED)
target_include_directories(png::png SYSTEM INTERFACE ${PNG_INCLUDE_DIR})
target_link_libraries(png::png INTERFACE ${PNG_LIBRARY} ${Z_LIBRARY})
set(OPENSSL_USE_STATIC_LIBS ON)  # so that a copied binary needs no libcrypto
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
if(BUILD_TESTING OR NOT DEFINED BUILD_TESTING)
  find_library(BOOST_TEST_LIBRARY boost_unit_test_framework REQUIRED)
  add_library(boost::test INTERFACE IMPORTED)
  target_link_libraries(boost::test INTERFACE ${BOOST_TEST_LIBRARY})
  target_compile_definitions(boost::test INTERFACE BOOST_TEST_DYN_LINK)
endif()
