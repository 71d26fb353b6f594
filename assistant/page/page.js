// Keeps the conversation at its end while an answer grows, unless the person has scrolled away or
// opened a fold; and takes a fold's nameless arrow, which does what its title does, out of reach.
() => {
  const near = 80; // pixels
  let pinned = true;
  let asked = 0;
  const scroller = () => document.querySelector("#chat .bubble-wrap");
  const follow = () => {
    const wrap = scroller();
    const questions = wrap ? wrap.querySelectorAll(".user-row").length : 0;
    if (questions !== asked) {
      asked = questions;
      pinned = true;
    }
    if (wrap && pinned) wrap.scrollTop = wrap.scrollHeight;
    for (const arrow of document.querySelectorAll("#chat .title .arrow")) arrow.inert = true;
    // Gradio calls it a list, and its buttons are no items of one.
    document.querySelector("#chat .examples")?.setAttribute("role", "group");
    document.querySelector("#chat .examples")?.setAttribute("aria-label", "Examples");
    for (const title of document.querySelectorAll("#chat .thought-group > .title")) {
      title.ariaExpanded = String(title.classList.contains("expanded"));
    }
  };
  const look = (event) => {
    const wrap = scroller();
    if (event.target !== wrap) return;
    pinned = wrap.scrollHeight - wrap.scrollTop - wrap.clientHeight < near;
  };
  const open = (event) => {
    if (event.target.closest("#chat .thought-group .title")) pinned = false;
  };
  document.addEventListener("scroll", look, true);
  document.addEventListener("click", open, true);
  document.addEventListener("keydown", open, true);
  document.addEventListener("load", follow, true);
  window.addEventListener("resize", follow);
  new MutationObserver(follow).observe(document.body, {
    childList: true, subtree: true, characterData: true, attributeFilter: ["class"],
  });
}
