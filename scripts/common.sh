# Shared by the scripts of this folder; sourced, not run.
# shellcheck shell=bash
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# say WORDS: progress goes to stderr, so that the output of `scripts/anthill` can be piped
say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# fail WORDS: one line that says what, where and what to do; ends the script
fail() {
  say "$*"
  exit 1
}

# true where an NVIDIA driver is loaded
has_driver() { [ -e /proc/driver/nvidia/version ] || nvidia-smi -L >/dev/null 2>&1; }

# prints the path of CUDA 13's compiler; false where there is none (older ones do not fit LibTorch)
find_nvcc() {
  local nvcc
  for nvcc in "${CUDACXX:-}" "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc; do
    if [ -x "$nvcc" ] && "$nvcc" --version | grep -q 'release 13\.'; then
      printf '%s\n' "$nvcc"
      return
    fi
  done
  return 1
}

# the preset of CMakePresets.json for this machine; ANTHILL_PRESET overrides
default_preset() {
  if [ -n "${ANTHILL_PRESET:-}" ]; then
    printf '%s\n' "$ANTHILL_PRESET"
  elif has_driver && find_nvcc >/dev/null; then
    echo cuda
  else
    echo cpu
  fi
}

# hash_of WORDS...: a short name for a state
hash_of() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

# lock FILE: one at a time, until this script ends
lock() {
  { exec 9>"$1"; } 2>/dev/null || fail "cannot write $1; make $top writable for $(id -un)"
  flock --nonblock 9 && return
  say "waiting for another run that holds $1"
  flock 9
}
