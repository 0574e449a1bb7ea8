// Draws each chart again in the width that there is, with pointers; without this file the drawing
// of the server stays. "ast": Vega reads its expressions itself, as the page allows no eval.
(() => {
  const options = {
    actions: false, ast: true, renderer: "svg", defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
  };
  const drawn = new WeakMap();

  async function draw(figure) {
    const place = figure.querySelector(".drawn");
    const width = Math.floor(place.clientWidth);
    if (!width || drawn.get(figure) === width) return;
    drawn.set(figure, width);
    const spec = JSON.parse(figure.querySelector(".spec").textContent);
    if (typeof spec.width === "number") spec.width = width;
    const paper = document.createElement("div");
    try {
      await window.vegaEmbed(paper, spec, options);
    } catch (error) {
      console.error(error);
      return;  // the server's drawing stays
    }
    place.replaceChildren(paper);
    figure.dataset.drawn = "vega";
  }

  function drawAll() {
    if (!window.vegaEmbed) return;
    for (const figure of document.querySelectorAll("figure.chart")) draw(figure);
  }

  let waiting;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 150);
  });
  window.addEventListener("vega-ready", drawAll);
  drawAll();
})();
