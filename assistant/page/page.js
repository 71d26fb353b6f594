// Keeps the conversation at its end while an answer grows, unless the person has scrolled away.
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
  };
  const look = (event) => {
    const wrap = scroller();
    if (event.target !== wrap) return;
    pinned = wrap.scrollHeight - wrap.scrollTop - wrap.clientHeight < near;
  };
  document.addEventListener("scroll", look, true);
  document.addEventListener("load", follow, true);
  window.addEventListener("resize", follow);
  new MutationObserver(follow).observe(document.body, {
    childList: true, subtree: true, characterData: true,
  });
}
