# `cmake --install`: the library, its public headers, the command line tool, and what find_package and pkg-config
# read. Nothing installed names the place it was built or installed in, so the tree may be moved.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/espalier")

install(TARGETS espalier EXPORT espalier FILE_SET HEADERS)
install(EXPORT espalier NAMESPACE espalier:: DESTINATION "${package_dir}" FILE espalierConfig.cmake)
write_basic_package_version_file(espalierConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/espalierConfigVersion.cmake" DESTINATION "${package_dir}")

file(RELATIVE_PATH lib_to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/espalier.pc.in espalier.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/espalier.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

if(TARGET espalier_cli)
  file(RELATIVE_PATH bin_to_lib "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
  set_target_properties(espalier_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
  install(TARGETS espalier_cli)
endif()
