/// What anthill watch shows: a run on its own, or a line for each of many.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/watch_run.hpp"
#include "apps/watch_text.hpp"

namespace anthill {

/// Lines without line ends, none wider than the style says.
std::vector<std::string> run_screen(const WatchedRun& run, const TerminalStyle& style);

/// A summary, a heading and one line per run. Where the height does not hold them all, the runs
/// that need attention come first and a line counts the others.
std::vector<std::string> sweep_screen(const std::string& folder,
                                      const std::vector<std::unique_ptr<WatchedRun>>& runs,
                                      const TerminalStyle& style);

/// The same as for one run, or for more.
std::vector<std::string> screen_of(const std::string& folder,
                                   const std::vector<std::unique_ptr<WatchedRun>>& runs,
                                   const TerminalStyle& style);

}  // namespace anthill
