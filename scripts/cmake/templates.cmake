# Scripts that a command writes, as text in build/<preset>/generated: a relocated binary has them too.
file(READ ${CMAKE_SOURCE_DIR}/scripts/slurm_task slurm_task)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/scripts/slurm_task)
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/generated/slurm_template.hpp CONTENT
"/// Written by CMake from scripts/slurm_task.
#pragma once
inline constexpr const char* kSlurmTemplate = R\"script(${slurm_task})script\";
")
