# The library: header-only, in two halves.
#   fmsb::space  core, space, tune, data, evaluate, report: no torch
#   fmsb::fmsb   everything
# Headers are found by folder, so that none can escape the install and the self-containment check.
set(FMSB_SPACE_FOLDERS core space tune data evaluate report)
set(FMSB_TORCH_FOLDERS nn adapt reliable models train search average transfer)

function(fmsb_headers_of result)
  set(found)
  foreach(folder ${ARGN})
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/fmsb/${folder}/*.hpp)
    list(APPEND found ${headers})
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

fmsb_headers_of(FMSB_SPACE_HEADERS ${FMSB_SPACE_FOLDERS})
fmsb_headers_of(FMSB_TORCH_HEADERS ${FMSB_TORCH_FOLDERS})
file(GLOB umbrellas CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/fmsb/*.hpp)
foreach(umbrella IN LISTS umbrellas)
  if(umbrella MATCHES "/(fwd|space)\\.hpp$")
    list(APPEND FMSB_SPACE_HEADERS ${umbrella})
  else()
    list(APPEND FMSB_TORCH_HEADERS ${umbrella})
  endif()
endforeach()

# Headers of modules stand behind the full door, nn/torch.hpp; the others include of LibTorch what they need.
set(FMSB_MODULE_HEADERS ${FMSB_TORCH_HEADERS})
list(FILTER FMSB_MODULE_HEADERS INCLUDE REGEX "/fmsb/(nn|adapt|reliable|train|average|transfer)/|/fmsb/models/[^/]*$|/peft.hpp$")
list(FILTER FMSB_MODULE_HEADERS EXCLUDE REGEX "/nn/(torch|tensor|cholesky)\\.hpp$")
list(REMOVE_ITEM FMSB_TORCH_HEADERS ${FMSB_MODULE_HEADERS})

add_library(fmsb_space INTERFACE)
add_library(fmsb::space ALIAS fmsb_space)
set_target_properties(fmsb_space PROPERTIES EXPORT_NAME space)
target_sources(fmsb_space INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include
               FILES ${FMSB_SPACE_HEADERS})
target_compile_features(fmsb_space INTERFACE cxx_std_20)
target_link_libraries(fmsb_space INTERFACE Boost::headers range-v3::range-v3 nlohmann_json::nlohmann_json
                      fmt::fmt ZLIB::ZLIB)

# Defined without LibTorch too, so that a package made on a machine that has none still serves one that has.
add_library(fmsb_fmsb INTERFACE)
add_library(fmsb::fmsb ALIAS fmsb_fmsb)
set_target_properties(fmsb_fmsb PROPERTIES EXPORT_NAME fmsb)
target_sources(fmsb_fmsb INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include
               FILES ${FMSB_TORCH_HEADERS}
               FILE_SET modules TYPE HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${FMSB_MODULE_HEADERS})
target_link_libraries(fmsb_fmsb INTERFACE fmsb_space fmsb::torch)

# Every header compiles alone: targets <target>_verify_interface_header_sets, never with a precompiled header. Those of
# modules, which all begin with the full door, are compiled behind it as it is precompiled (cmake/own_targets.cmake).
if(PROJECT_IS_TOP_LEVEL)
  set_target_properties(fmsb_space PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  if(FMSB_HAS_TORCH)
    set_target_properties(fmsb_fmsb PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)
  endif()
endif()
