# The packages of fmsb::space, named once: the build asks with find_package, the installed package
# with find_dependency.
macro(fmsb_find_space_dependencies finder)
  cmake_language(CALL ${finder} Boost 1.74 CONFIG ${ARGN})       # Boost::headers: Hana
  cmake_language(CALL ${finder} range-v3 CONFIG ${ARGN})  # it accepts its exact version only, so none is named
  cmake_language(CALL ${finder} nlohmann_json 3.11 CONFIG ${ARGN})
  cmake_language(CALL ${finder} fmt 9.1 CONFIG ${ARGN})
  cmake_language(CALL ${finder} ZLIB ${ARGN})
endmacro()
