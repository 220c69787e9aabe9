// The squared error of a line through points is a bowl: five means say all of it, for all points or for a batch.

function bowlOf(x, y, rows) {
  const sum = { xx: 0, x: 0, xy: 0, y: 0, yy: 0 };
  const count = rows ? rows.length : x.length;
  for (let i = 0; i < count; i++) {
    const row = rows ? rows[i] : i;
    sum.xx += x[row] * x[row];
    sum.x += x[row];
    sum.xy += x[row] * y[row];
    sum.y += y[row];
    sum.yy += y[row] * y[row];
  }
  for (const name of Object.keys(sum)) sum[name] /= count;
  return sum;
}

function lossAt(bowl, a1, a2) {
  const square = bowl.xx * a1 * a1 + 2 * bowl.x * a1 * a2 + a2 * a2;
  return Math.max(1e-12, square - 2 * bowl.xy * a1 - 2 * bowl.y * a2 + bowl.yy);
}

function slopeAt(bowl, a1, a2) {
  return [2 * (bowl.xx * a1 + bowl.x * a2 - bowl.xy), 2 * (bowl.x * a1 + a2 - bowl.y)];
}

function bottomOf(bowl) {
  const det = bowl.xx - bowl.x * bowl.x;
  if (det < 1e-9) return [0, bowl.y]; // all points above one another: any slope does
  return [(bowl.xy - bowl.x * bowl.y) / det, (bowl.xx * bowl.y - bowl.x * bowl.xy) / det];
}

// losses on a grid of (columns + 1) x (rows + 1) corners, row by row from the top
function gridOf(bowl, xAxis, yAxis, columns, rows) {
  const values = new Float64Array((columns + 1) * (rows + 1));
  for (let j = 0; j <= rows; j++) {
    const a2 = yAxis.hi - ((yAxis.hi - yAxis.lo) * j) / rows;
    for (let i = 0; i <= columns; i++)
      values[j * (columns + 1) + i] = lossAt(bowl, xAxis.lo + ((xAxis.hi - xAxis.lo) * i) / columns, a2);
  }
  return { values, columns, rows };
}

// 1, 2, 5, 10, ... between two losses
function levelsBetween(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const step of [1, 2, 5]) {
      const level = step * 10 ** power;
      if (level > low * 1.02 && level < high) found.push(level);
    }
  return found;
}

// marching squares: draws every line of equal loss as short pieces, in one path
function traceLevels(pen, grid, levels, box) {
  const wide = grid.columns + 1,
    dx = box.w / grid.columns,
    dy = box.h / grid.rows;
  pen.beginPath();
  for (let j = 0; j < grid.rows; j++)
    for (let i = 0; i < grid.columns; i++) {
      const at = j * wide + i;
      const corner = [grid.values[at], grid.values[at + 1], grid.values[at + wide + 1], grid.values[at + wide]];
      const least = Math.min(...corner),
        most = Math.max(...corner);
      for (const level of levels)
        if (level > least && level <= most) tracePiece(pen, corner, level, box.x + i * dx, box.y + j * dy, dx, dy);
    }
  pen.stroke();
}

function tracePiece(pen, corner, level, x, y, dx, dy) {
  const places = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ],
    cuts = [];
  for (let side = 0; side < 4; side++) {
    const one = corner[side],
      two = corner[(side + 1) % 4];
    if (one < level === two < level) continue;
    const part = (level - one) / (two - one),
      from = places[side],
      to = places[(side + 1) % 4];
    cuts.push([x + dx * (from[0] + part * (to[0] - from[0])), y + dy * (from[1] + part * (to[1] - from[1]))]);
  }
  for (let i = 0; i + 1 < cuts.length; i += 2) {
    pen.moveTo(...cuts[i]);
    pen.lineTo(...cuts[i + 1]);
  }
}
