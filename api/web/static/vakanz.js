// A résumé's text stays in this tab: what was searched with is there again where an application is improved.
(() => {
  const KEY = "vakanz-resume";
  const remember = () => {
    const text = document.querySelector("form[action='/search'] textarea[name=text]");
    if (text && text.value.trim()) sessionStorage.setItem(KEY, text.value);
  };
  const fill = () => {
    const field = document.querySelector("textarea[data-resume]");
    if (field && !field.value) field.value = sessionStorage.getItem(KEY) ?? "";
  };
  document.addEventListener("htmx:after:swap", remember);
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") === "/sign-out") sessionStorage.removeItem(KEY);
    else remember();
  });
  remember();
  fill();
})();
