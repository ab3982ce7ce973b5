// A résumé's text stays in this tab: what was searched with is there again where an application is improved, and on the
// search page after somebody had to sign in once more. Who writes one means that one, and none that is kept.
(() => {
  const KEY = "vakanz-resume";
  const AGAIN = "vakanz-again";
  const written = () => document.querySelector("form[action='/search'] textarea[name=text]");
  const remember = () => {
    if (written()?.value.trim()) sessionStorage.setItem(KEY, written().value);
    if (document.querySelector("[data-signed-out]")) sessionStorage.setItem(AGAIN, "yes");
  };
  const fill = () => {
    const again = written() && sessionStorage.getItem(AGAIN) ? written() : null;
    const field = document.querySelector("textarea[data-resume]") ?? again;
    if (field && !field.value) field.value = sessionStorage.getItem(KEY) ?? "";
    if (again) sessionStorage.removeItem(AGAIN);
  };
  const choose = (field) => {
    const kept = field.form?.elements.namedItem("resume_id");
    if (kept && field.matches("[data-resume]")) kept.value = "";
  };
  document.addEventListener("input", (event) => choose(event.target));
  document.addEventListener("htmx:after:swap", remember);
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") === "/sign-out") sessionStorage.removeItem(KEY);
    else remember();
  });
  remember();
  fill();
})();

// A form that got no answer, or a proxy's instead of ours, says so, and what was written stays.
(() => {
  const tell = (form, unheard) => {
    const told = form?.querySelector("[data-unheard]");
    if (told) told.hidden = !unheard;
  };
  document.addEventListener("htmx:before:request", (event) => tell(event.target.closest("form"), false));
  document.addEventListener("htmx:error", (event) => tell(event.target.closest?.("form"), true));
  document.addEventListener("htmx:before:response", (event) => {
    const form = event.target.closest("form");
    if (!form || event.detail.ctx.response.headers.has("Content-Language")) return;
    event.preventDefault();
    tell(form, true);
  });
})();
