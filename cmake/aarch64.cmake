# Toolchain file for 64-bit ARM, by Debian's cross compiler: cmake --toolchain cmake/aarch64.cmake -DESPALIER_ROOT=DIR
# where DIR/usr holds the libraries and headers of that processor. Programs run in qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ESPALIER_ROOT)
set(CMAKE_CXX_STANDARD_INCLUDE_DIRECTORIES "${ESPALIER_ROOT}/usr/include/aarch64-linux-gnu")  # jpeglib.h needs it
set(CMAKE_FIND_ROOT_PATH "${ESPALIER_ROOT}" /usr/aarch64-linux-gnu)
foreach(kind IN ITEMS LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
