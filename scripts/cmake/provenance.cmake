# What a run folder says about its binary; configured into build/<preset>/generated/build_info.hpp.
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
set(ANTHILL_COMPILER "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
set(ANTHILL_FLAGS "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}} -ffp-contract=off")
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/generated/build_info.hpp CONTENT
"/// Written by CMake.
#pragma once
inline constexpr const char* kCompiler = \"${ANTHILL_COMPILER}\";
inline constexpr const char* kFlags = \"${ANTHILL_FLAGS}\";
inline constexpr const char* kBuildType = \"${CMAKE_BUILD_TYPE}\";
inline constexpr const char* kVersion = \"${PROJECT_VERSION}\";
inline constexpr const char* kSourceDir = \"${CMAKE_SOURCE_DIR}\";
")
