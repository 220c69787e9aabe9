// A target to draw with a finger, the mouse or the arrow keys; over it the points that were measured and what was fitted.
export default function ({ data, parentElement, setTriggerValue }) {
  const W = 760, H = 370, LEFT = 34, RIGHT = 14, TOP = 10, BOTTOM = 30, HIGH = 1.6, NS = "http://www.w3.org/2000/svg";
  const svg = parentElement.querySelector("svg"), said = parentElement.querySelector("output");
  const heights = [...data.heights], last = heights.length - 1;
  const x = (value) => LEFT + (value + 1) / 2 * (W - LEFT - RIGHT);
  const y = (value) => TOP + (HIGH - Math.max(-HIGH, Math.min(HIGH, value))) / (2 * HIGH) * (H - TOP - BOTTOM);
  const make = (name, attributes, text) => {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    svg.append(made);
    return made;
  };
  const kept = svg.kept ?? Math.round(last / 2);
  let cursor = kept;
  svg.replaceChildren();
  make("rect", { class: "box", x: LEFT, y: TOP, width: W - LEFT - RIGHT, height: H - TOP - BOTTOM });
  for (const value of [-1, 0, 1]) {
    make("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: y(value), y2: y(value) });
    make("text", { x: LEFT - 6, y: y(value) + 5, "text-anchor": "end" }, value);
    make("text", { x: x(value), y: H - 8, "text-anchor": value < 0 ? "start" : value ? "end" : "middle" }, value);
  }
  const target = make("polyline", { class: "target" });
  for (const { name, values } of data.fits) {
    const points = values.map((value, i) => `${x(-1 + 2 * i / (values.length - 1)).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    make("polyline", { class: `fit ${name}`, points });
  }
  for (const [kind, points] of Object.entries(data.points)) for (const [place, height] of points) make("circle", { class: kind, cx: x(place), cy: y(height), r: 4.5 });
  const mark = make("circle", { class: "cursor", r: 9 });
  const draw = () => {
    target.setAttribute("points", heights.map((height, i) => `${x(-1 + 2 * i / last).toFixed(1)},${y(height).toFixed(1)}`).join(" "));
    mark.setAttribute("cx", x(-1 + 2 * cursor / last)); mark.setAttribute("cy", y(heights[cursor]));
    svg.setAttribute("aria-valuetext", `at ${(-1 + 2 * cursor / last).toFixed(2)} the target is ${heights[cursor].toFixed(2)}`);
    svg.kept = cursor;
  };
  let timer, from = null;
  const tell = (wait) => { clearTimeout(timer); timer = setTimeout(() => setTriggerValue("heights", heights.map((height) => +height.toFixed(3))), wait); };
  const spot = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const place = (point.x - LEFT) / (W - LEFT - RIGHT) * last, height = HIGH - (point.y - TOP) / (H - TOP - BOTTOM) * 2 * HIGH;
    return [Math.min(last, Math.max(0, Math.round(place))), Math.min(1.5, Math.max(-1.5, height))];
  };
  svg.onpointerdown = (event) => { event.preventDefault(); svg.focus(); svg.setPointerCapture(event.pointerId); from = spot(event); [cursor, heights[from[0]]] = from; draw(); };
  svg.onpointermove = (event) => {
    if (!from) return;
    const to = spot(event), [start, end] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])];
    for (let i = start; i <= end; i++) heights[i] = from[0] === to[0] ? to[1] : from[1] + (to[1] - from[1]) * (i - from[0]) / (to[0] - from[0]);
    cursor = to[0]; from = to; draw();
  };
  svg.onpointerup = svg.onpointercancel = () => { if (from) { from = null; tell(0); } };
  svg.onkeydown = (event) => {
    const [side, up] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (!side && !up) return;
    event.preventDefault(); event.stopPropagation();
    cursor = Math.min(last, Math.max(0, cursor + side));
    if (up) {  // the neighbours come along, so that keys draw hills and not needles
      for (let i = 0; i <= last; i++) heights[i] = Math.min(1.5, Math.max(-1.5, heights[i] + 0.1 * up * Math.exp(-(((i - cursor) / 3) ** 2))));
      tell(700);
    }
    draw();
    said.textContent = svg.getAttribute("aria-valuetext");
  };
  draw();
  return () => clearTimeout(timer);
}
