# cmake --install: headers, package files, and the look-up of LibTorch, which the package repeats at its user's.
include(CMakePackageConfigHelpers)

set(FMSB_PACKAGE_FOLDER ${CMAKE_INSTALL_DATADIR}/cmake/fmsb)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME fmsb)  # programs are the component `programs`
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)  # installed programs find LibTorch where it lay

install(TARGETS fmsb_space EXPORT fmsb FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS fmsb_fmsb EXPORT fmsb FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
                                      FILE_SET modules DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT fmsb NAMESPACE fmsb:: FILE fmsbTargets.cmake DESTINATION ${FMSB_PACKAGE_FOLDER})

set(FMSB_CONFIGURED_TORCH ${FmsbTorch_ROOT})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/fmsbConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/fmsbConfig.cmake INSTALL_DESTINATION ${FMSB_PACKAGE_FOLDER})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/fmsbConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  ${PROJECT_BINARY_DIR}/package/fmsbConfig.cmake ${PROJECT_BINARY_DIR}/package/fmsbConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindFmsbTorch.cmake ${PROJECT_SOURCE_DIR}/cmake/fmsb_dependencies.cmake
  DESTINATION ${FMSB_PACKAGE_FOLDER})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
