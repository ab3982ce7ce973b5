// A résumé's text stays in this tab: what was searched with is there again where an application is improved, and on the
// search page after somebody had to sign in once more.
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
  document.addEventListener("htmx:after:swap", remember);
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") === "/sign-out") sessionStorage.removeItem(KEY);
    else remember();
  });
  remember();
  fill();
})();
