/// The part of the field table that holds the algorithms' settings.
#pragma once

#include <vector>

#include "configs/fields.hpp"

namespace anthill {

/// Appends [agent], [actor], [critic], [temperature] and [exploration].
void add_agents(std::vector<Field>& fields);

}  // namespace anthill
