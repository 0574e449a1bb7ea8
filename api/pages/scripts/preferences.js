// Offers the zone of this browser's clock.
(() => {
  const offer = document.querySelector(".own-zone");
  if (!offer) return;
  const select = document.querySelector(".preferences select[name=zone]");
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const shown = () => { offer.hidden = (select.value || select.dataset.server) === own; };
  if (![...select.options].some((each) => each.value === own)) return;
  offer.querySelector("b").textContent = own;
  offer.querySelector("button").addEventListener("click", () => {
    select.value = own;
    shown();
    select.focus();
  });
  select.addEventListener("change", shown);
  shown();
})();
