# What a build of the project itself sets unless it was told otherwise; a project that brings Espalier in by
# add_subdirectory keeps its own settings.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
