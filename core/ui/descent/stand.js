// where a run stands at a position between two of its steps
function stand(run, at, { data, bowl }) {
  const most = run.steps,
    place = Math.min(at, most),
    step = Math.floor(place),
    rest = place - step,
    next = Math.min(step + 1, most),
    k = Math.min(step, most - 1);
  const pair = (list) => [list[2 * k], list[2 * k + 1]],
    between = (i) => run.a[2 * step + i] + rest * (run.a[2 * next + i] - run.a[2 * step + i]);
  const a1 = between(0),
    a2 = between(1),
    rows = rowsOf(run, k, data.count),
    over = step === most; // from the end no step was taken
  const grad = over ? slopeAt(rows ? bowlOf(data.x, data.y, rows) : bowl, a1, a2) : pair(run.grad);
  const full = run.full ? (over ? slopeAt(bowl, a1, a2) : pair(run.full)) : null;
  return { step, rest, a1, a2, loss: run.loss[step], rate: run.rates[k], grad, full, rows };
}

const batchesOf = new WeakMap(); // a batch keeps its identity, so that its ghost is worked out once

function rowsOf(run, k, count) {
  if (!run.rows) return null;
  if (!batchesOf.has(run)) batchesOf.set(run, new Map());
  const known = batchesOf.get(run),
    each = Math.ceil(count / run.batch),
    from = Math.floor(k / each) * count + (k % each) * run.batch;
  if (!known.has(k)) known.set(k, run.rows.slice(from, Math.min(from + run.batch, (Math.floor(k / each) + 1) * count)));
  return known.get(k);
}
