# ccache when found. It may trust a precompiled header only when told what it need not look at.
find_program(FMSB_CCACHE ccache DOC "Compiler cache, used when found")
mark_as_advanced(FMSB_CCACHE)
if(FMSB_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${FMSB_CCACHE})
endif()
