# Finds LibTorch for the bundle in $here and sets LD_LIBRARY_PATH; sourced, not run.
# shellcheck shell=sh
if [ -z "${TORCH_LIB:-}" ]; then
  for python in python3 python; do
    TORCH_LIB=$("$python" -c '
import importlib.util, os
print(os.path.join(os.path.dirname(importlib.util.find_spec("torch").origin), "lib"))' 2>/dev/null) && break
  done
fi
if [ ! -e "${TORCH_LIB:-}/libtorch_cpu.so" ]; then
  echo "anthill: no LibTorch in '${TORCH_LIB:-}'; set TORCH_LIB to the folder torch/lib of torch 2.11.0" >&2
  exit 2
fi
torch_version=$(sed -n "s/^__version__ = '\([0-9.]*\).*/\1/p" "$TORCH_LIB/../version.py" 2>/dev/null)
case $torch_version in
  2.11.* | '') ;;
  *)
    echo "anthill: torch $torch_version in '$TORCH_LIB'; this bundle needs 2.11" >&2
    exit 2
    ;;
esac
LD_LIBRARY_PATH="$here/lib:$TORCH_LIB${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
for folder in "$TORCH_LIB"/../../nvidia/*/lib; do
  if [ -d "$folder" ]; then LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$folder"; fi
done
export LD_LIBRARY_PATH
