anthill_python_test(docs.site fast docs/site_test.py)
if(ANTHILL_LEARNER)
  anthill_python_test(docs.commands fast docs/commands_test.py)
  anthill_python_test(docs.commands_run slow docs/commands_run_test.py)
  set_tests_properties(docs.commands_run PROPERTIES TIMEOUT 1800 COST 900)  # a hundred commands
  set_property(TEST docs.commands docs.commands_run APPEND PROPERTY ENVIRONMENT
    "PYTHONPATH=${CMAKE_SOURCE_DIR}/tests/integration:${CMAKE_SOURCE_DIR}/tests/docs")
endif()
