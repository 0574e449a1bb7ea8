// Goes to the line of the rules that was refused.
(() => {
  const text = document.querySelector("textarea[data-line]");
  const line = text && Number(text.dataset.line);
  if (!line) return;
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus({ preventScroll: true });
  text.setSelectionRange(start, start + (lines[line - 1] || "").length);
  text.scrollTop = text.scrollHeight * Math.max(0, line - 6) / lines.length;
})();
