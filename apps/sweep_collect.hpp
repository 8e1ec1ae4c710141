/// One table of a whole sweep.
#pragma once

#include <iosfwd>
#include <string>

#include "apps/sweep_folder.hpp"

namespace anthill {

/// Writes the rows of TABLE.csv (train, episodes, eval, overestimation) of every run that has one
/// as one CSV: point, seed, progress, the swept settings (a column each), then the table's own
/// columns (of all runs; a cell is empty where a run lacks the column). A last line that is still
/// being written is left out, and so is a run whose table cannot be read or has a line of another
/// length, with a message. Throws ConfigError for another name of a table.
struct CollectedRuns {
  int found = 0, damaged = 0;
};
CollectedRuns collect_table(const SweepFolder& folder, const std::string& table, std::ostream& out);

}  // namespace anthill
