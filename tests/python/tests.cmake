# pytest on the package of this build
function(anthill_package_test name label file)
  anthill_python_test(${name} ${label} ${file})
  set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "PYTHONPATH=${CMAKE_BINARY_DIR}/python:${CMAKE_SOURCE_DIR}:${CMAKE_SOURCE_DIR}/tests/integration")
endfunction()

anthill_package_test(python.vector_env fast python/vector_env_test.py)
anthill_package_test(python.vector_env_rules fast python/vector_env_rules_test.py)
anthill_python_test(python.install slow python/install_test.py)
if(ANTHILL_LEARNER)
  anthill_package_test(python.policy fast python/policy_test.py)
  anthill_package_test(python.examples fast python/examples_test.py)
  anthill_package_test(python.compiled_sac fast python/compiled_sac_test.py)
endif()
