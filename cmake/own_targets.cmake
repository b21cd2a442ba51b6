# What fmsb's own tests, benches and programs share: definitions and one precompiled header.

# Defined for every own target, the precompiled header included: its users must agree with it on all macros.
add_library(fmsb_own INTERFACE)
target_compile_definitions(fmsb_own INTERFACE FMSB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")

if(FMSB_HAS_TORCH AND FMSB_PCH)
  add_library(fmsb_torch_pch OBJECT EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/cmake/torch_pch.cpp)
  target_link_libraries(fmsb_torch_pch PRIVATE fmsb::fmsb fmsb_own)
  target_precompile_headers(fmsb_torch_pch PRIVATE ${PROJECT_SOURCE_DIR}/include/fmsb/nn/torch.hpp)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(fmsb_torch_pch PUBLIC -fpch-preprocess)  # lets the cache see through the header
  endif()
endif()

# fmsb_link_half(<target> [TORCH]): links fmsb::space, or with TORCH fmsb::fmsb and the precompiled header.
# Sources named after PLAIN do not see torch and are spared the header.
function(fmsb_link_half target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "PLAIN")
  target_link_libraries(${target} PRIVATE fmsb_own)
  if(NOT arg_TORCH)
    target_link_libraries(${target} PRIVATE fmsb::space)
    return()
  endif()
  target_link_libraries(${target} PRIVATE fmsb::fmsb)
  get_target_property(with_torch ${target} SOURCES)
  list(REMOVE_ITEM with_torch ${arg_PLAIN})
  if(TARGET fmsb_torch_pch AND with_torch)
    target_precompile_headers(${target} REUSE_FROM fmsb_torch_pch)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -fpch-preprocess)
    endif()
    if(arg_PLAIN)
      set_source_files_properties(${arg_PLAIN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endif()
endfunction()
