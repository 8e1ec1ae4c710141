/// What SAC is asked about itself once per row of train.csv: norms, saturation, features.
#pragma once

#include <string>
#include <vector>

#include "algos/agents/sac.hpp"

namespace anthill {

/// The columns of train.csv, in the order of sac_diagnostics() (K).
const std::vector<std::string>& sac_diagnostic_names();

/// Formulas: algos/training/metrics_glossary.cpp. `batch` and `noise` as an update takes them;
/// `rewards`: of the stored transitions. Changes nothing. Returns (K x M) float32 on the host: it
/// waits for the device. Costs about as much as two updates.
Tensor sac_diagnostics(const SacModel& model, const SacOptimisers& optimisers, const Batch& batch,
                       const SacNoise& noise, const RewardRange& rewards);

/// Norm over everything that belongs to one member: (M x ...) -> (M).
Tensor norm_per_member(const Tensor& values);

/// Share of the units whose mean |h| over the batch is at most `tau` times the mean of that over
/// the layer (ReDo; Sokar et al., 2023: arXiv 2302.12902, eq. 1), over all networks of a member.
/// `features` (M x E x B x W), returns (M).
Tensor dormant_share(const Tensor& features, double tau);

/// exp(-sum_i p_i ln p_i), p_i = sigma_i / sum sigma, sigma the singular values of a network's
/// features (B x W) (Roy & Vetterli, 2007); mean over a member's networks. nan where features are
/// not finite. `features` (M x E x B x W), returns (M).
Tensor effective_rank(const Tensor& features);

}  // namespace anthill
