// A tap on a chart. Plotly selects the point it last saw under a pointer, and a finger shows it none before it is down:
// without this, each tap selects the point that was tapped before.
export default function ({ parentElement }) {
  const touched = ({ target, touches: [finger, second] }) => {
    if (second || !target.closest?.(".js-plotly-plot .nsewdrag")) return;
    const { clientX, clientY } = finger;
    target.dispatchEvent(new MouseEvent("mousemove", { bubbles: true, clientX, clientY }));
  };
  parentElement.stop?.();
  document.addEventListener("touchstart", touched, { capture: true, passive: true });
  parentElement.stop = () => document.removeEventListener("touchstart", touched, { capture: true });
  return parentElement.stop;
}
