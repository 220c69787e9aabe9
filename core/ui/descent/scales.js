// Axes, and numbers as people write them: three digits, no exponent.

class Axis {
  constructor(lo, hi, { log = false } = {}) {
    this.lo = lo;
    this.hi = hi;
    this.log = log;
    this.from = 0;
    this.to = 1;
  }
  span(from, to) {
    this.from = from;
    this.to = to;
    return this;
  }
  part(value) {
    if (!this.log) return (value - this.lo) / (this.hi - this.lo);
    return Math.log(Math.max(value, 1e-300) / this.lo) / Math.log(this.hi / this.lo);
  }
  px(value) {
    return this.from + (this.to - this.from) * this.part(value);
  }
  at(px) {
    const part = (px - this.from) / (this.to - this.from);
    return this.log ? this.lo * (this.hi / this.lo) ** part : this.lo + (this.hi - this.lo) * part;
  }
  ticks(wanted = 5) {
    return this.log ? logTicks(this.lo, this.hi, wanted) : evenTicks(this.lo, this.hi, wanted);
  }
}

function evenTicks(lo, hi, wanted) {
  const rough = (hi - lo) / wanted,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const found = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + 1e-9 * step; k++) found.push(k * step);
  return found;
}

function logTicks(lo, hi, wanted) {
  const decades = Math.log10(hi / lo),
    every = Math.max(1, Math.ceil(decades / wanted)),
    found = [];
  for (let power = Math.ceil(Math.log10(lo) - 1e-9); power <= Math.log10(hi) + 1e-9; power++)
    if (power % every === 0) found.push(10 ** power);
  return found;
}

function say(value) {
  if (!Number.isFinite(value)) return "out of sight";
  const size = Math.abs(value),
    sign = value < 0 ? "\u2212" : "";
  if (size >= 1e12) return sign + "beyond a trillion";
  if (size >= 1e9) return sign + trim((size / 1e9).toPrecision(3)) + " billion";
  if (size >= 1e6) return sign + trim((size / 1e6).toPrecision(3)) + " million";
  if (size >= 100) return sign + Math.round(size).toLocaleString("en");
  if (size === 0) return "0";
  return sign + size.toFixed(Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(size)))));
}

function trim(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

// for axes: as short as it goes
function sayTick(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return trim((value / 1e6).toPrecision(3)) + " M";
  if (size >= 1e4) return trim((value / 1e3).toPrecision(3)) + " k";
  return trim(value.toFixed(6)).replace("-", "\u2212") || "0";
}

function sayRate(value) {
  if (value === 0) return "0";
  if (value >= 0.01) return trim(value.toPrecision(3));
  const [mantissa, exponent] = value.toExponential(2).split("e");
  return `${Number(mantissa)}e${Number(exponent)}`;
}

// lines, marks and colours with the lab's meanings
function toneOf(look, tone) {
  const tones = {
    too_low: { colour: look.too_low, dash: [7, 4], mark: "\u25BC" },
    good: { colour: look.good, dash: [], mark: "\u25CF" },
    too_high: { colour: look.too_high, dash: [2, 3.5], mark: "\u25B2" },
    other: { colour: look.training, dash: [6, 3, 2, 3], mark: "\u25A0" },
  };
  return tones[tone] ?? { colour: look.ink, dash: [], mark: "" };
}

function mix(colours, part) {
  const at = Math.min(0.9999, Math.max(0, part)) * (colours.length - 1),
    i = Math.floor(at),
    rest = at - i;
  return colours[i].map((value, channel) => value + rest * (colours[i + 1][channel] - value));
}

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
