// The first run asks again whether something was heard, and is drawn anew when it was.
(() => {
  const waits = document.querySelector("[data-first-run]");
  if (!waits) return;
  const same = `data-first-run="${waits.dataset.firstRun}"`;
  async function look() {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok && !(await answer.text()).includes(same)) return location.reload();
    } catch {
      // the server is away: asked again
    }
    setTimeout(look, 3000);
  }
  setTimeout(look, 3000);
})();
