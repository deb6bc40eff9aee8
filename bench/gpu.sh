#!/usr/bin/env bash
# What the engines do on a machine with a GPU, in at most eight minutes: which are there and give the CPU's numbers, training
# beside PyTorch on the same device, a short flagship run, the conformance suite. Every phase has its own limit, and one that
# fails stops no other. JSON and tables in Markdown go to $OUT (default: gpu-results).
#   bench/gpu.sh [ENGINE...]        default: webgpu cuda tensorflow
# PYTHON names an interpreter with torch (left out: PyTorch is), DEVICE its device (cuda), LIMIT the seconds of all phases (480).
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${OUT:=gpu-results}"
OUT=$(cd "$OUT" && pwd)
ENGINES=("$@")
[ ${#ENGINES[@]} -gt 0 ] || ENGINES=(webgpu cuda tensorflow)
LIMIT=${LIMIT:-480}
export NO_COLOR=1 CI=true

phase() { # name, seconds, command...
  local name=$1 limit=$2 left=$((LIMIT - SECONDS))
  shift 2
  if [ "$left" -le 5 ]; then
    echo "| $name | left out: the time is over | |" | tee -a "$OUT/phases.md"
    return 1
  fi
  [ "$limit" -le "$left" ] || limit=$left
  local start=$SECONDS status=0 end='done'
  timeout --kill-after=10 "$limit" "$@" >"$OUT/$name.log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || end="ended with $status"
  [ "$status" -ne 124 ] || end="stopped after $limit s"
  echo "| $name | $end | $((SECONDS - start)) s |" | tee -a "$OUT/phases.md"
}

json() { # file, command...: standard output goes to the file
  local file=$1
  shift
  "$@" >"$OUT/$file.json"
}
export -f json
export OUT

printf '| phase | end | took |\n|---|---|---|\n' | tee "$OUT/phases.md"
[ -d node_modules ] || phase install 120 npm ci --no-audit --no-fund
[ -f dist/pipeline/cli.js ] || phase build 60 npm run build
phase machine 20 bash -c 'uname -a; node --version; nvidia-smi; ls /usr/share/vulkan/icd.d /etc/vulkan/icd.d; true'
phase engines 90 bash -c 'json engines node bin/decant.js engines "$@" --json' - "${ENGINES[@]}"

rival=()
[ -z "${PYTHON:-}" ] || rival=(--python "$PYTHON" --device "${DEVICE:-cuda}")
bench='name=$1; shift; json "$name" npm run --silent bench -- train --rounds 3 --json "$@"'
for engine in "${ENGINES[@]}"; do
  for only in 0 1; do
    phase "train-$engine-$only" 45 bash -c "$bench" - "train-$engine-$only" --engine "$engine" --only "$only" "${rival[@]}"
  done
  [ "$engine" = tensorflow ] || phase "fp16-$engine-1" 45 bash -c "$bench" - "fp16-$engine-1" --engine "$engine" --only 1 --precision fp16
  [ -z "${PYTHON:-}" ] || phase "compiled-$engine-1" 60 bash -c "$bench" - "compiled-$engine-1" --engine "$engine" --only 1 --compile "${rival[@]}"
  phase "flagship-$engine" 90 node bin/decant.js run pipeline.yaml --engine "$engine" --set data.limit=2000 --until student \
    --store "$OUT/store-$engine" --out "$OUT/run-$engine"
  rm -rf "$OUT/store-$engine" "$OUT/run-$engine/models"
done
phase conformance 120 npx vitest run test/engines/conformance.test.ts --reporter=default --reporter=json \
  --outputFile="$OUT/conformance.json"

node - "$OUT" "${ENGINES[@]}" <<'TABLE' | tee "$OUT/table.md"
const { readFileSync } = require('node:fs');
const [out, ...engines] = process.argv.slice(2);
const read = (name) => {
  try {
    return JSON.parse(readFileSync(`${out}/${name}.json`, 'utf8'));
  } catch {
    return {};
  }
};
const number = (x, digits) => (typeof x === 'number' ? x.toFixed(digits) : '-');
const rows = new Map((read('engines').engines ?? []).map((row) => [row.engine, row]));
console.log('| engine | device | state | teacher, 128 x 24: tokens/s | of PyTorch | BERT-base, 32 x 128: tokens/s | of PyTorch | of compiled | in float16: tokens/s |');
console.log('|---|---|---|---|---|---|---|---|---|');
for (const engine of engines) {
  const { device, works, problem } = rows.get(engine) ?? {};
  const files = [`train-${engine}-0`, `train-${engine}-1`, `compiled-${engine}-1`, `fp16-${engine}-1`];
  const [teacher, base, compiled, half] = files.map(read);
  const state = works === true ? 'works' : (problem ?? 'not looked for');
  const figures = [
    number(teacher.tokensPerSecond0, 0),
    number(teacher.torchRatio0, 2),
    number(base.tokensPerSecond0, 0),
    number(base.torchRatio0, 2),
    number(compiled.torchRatio0, 2),
    number(half.tokensPerSecond0, 0),
  ];
  console.log(`| ${[engine, device?.name ?? '-', state, ...figures].join(' | ')} |`);
}
TABLE
