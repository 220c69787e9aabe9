// Takes a picture out of the clipboard: by the button, or by Ctrl+V anywhere on the page.
export default function ({ parentElement, setTriggerValue, data }) {
  const button = parentElement.querySelector("button"), note = parentElement.querySelector("span");
  const say = (text) => { note.textContent = text; };
  const take = (file) => {
    if (file.size > data.most_bytes) return say(data.too_large);
    const reader = new FileReader();
    reader.onload = () => { say(keys); setTriggerValue("picture", reader.result); };
    reader.onerror = () => say(data.nothing);
    reader.readAsDataURL(file);
  };
  const pasted = (event) => {
    if (event.target.closest?.("input, textarea, [contenteditable]")) return;
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (!file) return say(data.nothing);
    event.preventDefault();
    take(file);
  };
  const asked = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((name) => name.startsWith("image/"));
        if (type) return take(await item.getType(type));
      }
      say(data.nothing);
    } catch { say(data.forbidden); }
  };
  const keys = matchMedia("(pointer: fine)").matches ? data.keys : "";
  button.textContent = data.label;
  say(keys);
  button.hidden = !navigator.clipboard?.read;
  button.addEventListener("click", asked);
  document.addEventListener("paste", pasted);
  return () => { button.removeEventListener("click", asked); document.removeEventListener("paste", pasted); };
}
