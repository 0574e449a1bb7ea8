// Small comforts; every page works without them.
(() => {
  // That something is under way, when a link or a form takes longer than a blink.
  let slow;
  const busy = () => { slow = setTimeout(() => { document.documentElement.dataset.busy = ""; }, 200); };
  window.addEventListener("pageshow", () => {
    clearTimeout(slow);
    delete document.documentElement.dataset.busy;
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const ours = link && link.origin === location.origin && !link.hasAttribute("download");
    if (ours && !link.hash && !event.ctrlKey && !event.metaKey && !event.shiftKey) busy();
  });
  document.addEventListener("submit", (event) => {
    busy();
    // A question of empty fields is asked without them.
    if (event.target.method !== "get") return;
    for (const field of event.target.elements) {
      if (field.name && field.value === "" && !field.dataset.empty) field.disabled = true;
    }
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) {
      if (form.method === "get") for (const field of form.elements) field.disabled = false;
    }
  });
  // The menu of phones closes by Escape.
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  // A choice that asks at once.
  document.addEventListener("change", (event) => {
    if (event.target.closest("form[data-at-once]")) event.target.form.requestSubmit();
  });
  // What is to be copied.
  for (const place of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(place.textContent.trim());
      button.textContent = "Copied";
    });
    place.after(button);
  }
})();
