// Pages that ask every few seconds how far a run is: not while nobody looks, nor while text on them is being selected.
document.addEventListener("htmx:beforeRequest", (event) => {
  const isPoll = event.detail.requestConfig?.verb === "get" && event.target.matches("[hx-trigger^=every]");
  if (isPoll && (document.hidden || !document.getSelection().isCollapsed)) event.preventDefault();
});
