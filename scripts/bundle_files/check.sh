#!/usr/bin/env bash
# Checks this bundle on this machine and writes one result file, within 9 minutes: a short training run,
# the GPU tests, compute-sanitizer where there is one, and the benchmarks.
#
# usage: ./check.sh [--seconds S] [RESULT]
#   --seconds S   of each benchmark (default 5)
#   RESULT        file to write (default ./anthill-check.txt)
# exit status: 0 everything passed or was skipped, 1 something failed, 2 no LibTorch
set -uo pipefail
here=$(dirname "$(readlink -f "$0")")
seconds=5
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=${2:?"--seconds needs a number"} && shift 2 ;;
    -h | --help)
      sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"
      exit
      ;;
    *) break ;;
  esac
done
result=$(realpath -m "${1:-anthill-check.txt}")
# shellcheck source=bundle_files/environment.sh
. "$here/environment.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
: >"$result" || exit 1
deadline=540
failed=()

# step NAME SECONDS COMMAND...: runs it, at most that long and never past the deadline; 77 is "skipped"
step() {
  local name=$1 limit=$2 code left=$((deadline - SECONDS))
  shift 2
  if [ "$left" -lt 5 ]; then
    printf '\n== %s: skipped, no time left\n' "$name" >>"$result"
    return
  fi
  printf '\n== %s: %s\n' "$name" "$*" >>"$result"
  timeout --kill-after=5 "$((limit < left ? limit : left))" "$@" >>"$result" 2>&1
  code=$?
  case $code in
    0) printf '== %s: passed after %s s\n' "$name" "$SECONDS" >>"$result" ;;
    77) printf '== %s: skipped\n' "$name" >>"$result" ;;
    *)
      printf '== %s: FAILED (exit code %s)\n' "$name" "$code" >>"$result"
      failed+=("$name")
      ;;
  esac
  printf 'check: %s: exit code %s\n' "$name" "$code" >&2
}

describe() {
  cat "$here/VERSION"
  date -u +%FT%TZ
  uname -srm
  grep -m1 'model name' /proc/cpuinfo
  printf '%s cores, LibTorch in %s (%s)\n' "$(nproc)" "$TORCH_LIB" "${torch_version:-unknown}"
  nvidia-smi -L 2>/dev/null || echo 'no NVIDIA driver'
}

anthill=$here/bin/anthill
bench() { step "$1" 120 "$anthill" bench "${@:2}" --seconds "$seconds" --json; }

describe >>"$result" 2>&1
gpu=no
if nvidia-smi -L >/dev/null 2>&1 && [ -e "$here/tests/test_algos_learner_gpu" ]; then gpu=yes; fi

step training 60 "$anthill" train "$here/configs/smoke.toml" --run run --fresh
step members 60 "$anthill" train "$here/configs/smoke.toml" --run stack --fresh --members "$here/two_members.toml"
step evaluation 60 "$anthill" evaluate run --episodes 2
for test in "$here"/tests/*; do
  if [ -e "$test" ]; then step "$(basename "$test")" 120 "$test"; fi
done
sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
if [ "$gpu" = yes ] && [ -x "$sanitizer" ]; then
  export PYTORCH_NO_CUDA_MEMORY_CACHING=1
  for test in "$here"/tests/*; do
    step "sanitizer.$(basename "$test")" 100 "$sanitizer" --error-exitcode 1 "$test"
  done
  unset PYTORCH_NO_CUDA_MEMORY_CACHING
fi
if [ "$gpu" = yes ]; then
  bench gpu.learner learner --device cuda --layer-norm off,on
  bench gpu.learner.members learner --device cuda --members 1,32
  bench gpu.buffer buffer --device cuda --observation-dim 105 --batch-size 32768
  if python3 -c 'import torch; torch.zeros(1).cuda()' 2>/dev/null; then
    step gpu.peers 150 python3 "$here/scripts/peers/compare.py" --bin "$here/bin" --python "$(command -v python3)" \
      --parts learner --device cuda --only compiled --observation-dims 27 --rounds 10
  fi
fi
bench cpu.learner learner --layer-norm off,on
bench cpu.members learner --members 1,4
bench cpu.buffer buffer
bench cpu.env env --num-envs 64
bench train train

if [ ${#failed[@]} -eq 0 ]; then
  printf '\nRESULT: passed after %s s\n' "$SECONDS" >>"$result"
else
  printf '\nRESULT: FAILED: %s\n' "${failed[*]}" >>"$result"
fi
tail -n 1 "$result"
[ ${#failed[@]} -eq 0 ]
