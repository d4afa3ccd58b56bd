// The search's excerpts, on its page alone: of a page's text, without its code and what stands around it.

// @ts-expect-error: of Sphinx's searchtools.js
Search.htmlToText = (/** @type {string} */ html, /** @type {string} */ anchor) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const part of page.querySelectorAll("script, style, noscript, svg, pre, summary, .headerlink")) part.remove();
  const text = ((anchor && page.querySelector(anchor)) || page.querySelector("article"))?.textContent ?? "";
  return text.replace(/\s+/g, " ");
};
