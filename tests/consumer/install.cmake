# Installs the build tree BUILD afresh into PREFIX: only the library, whatever programs happen to be built.
file(REMOVE_RECURSE ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX} --component fmsb
  COMMAND_ERROR_IS_FATAL ANY)
