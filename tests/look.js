(frame) => {
  const page = frame.document;
  const inside = (element) => !element.closest(".picture, title, details:not([open]) table");
  const elements = [...page.body.querySelectorAll("*")].filter(inside);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const color = numbers(frame.getComputedStyle(element).backgroundColor);
      if (color.length === 3) return color;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const style = frame.getComputedStyle(element);
    const color = element instanceof frame.SVGElement ? style.fill : style.color;
    const [a, b] = [luminance(numbers(color)), luminance(ground(element))].sort((a, b) => b - a);
    return (a + 0.05) / (b + 0.05);
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const label = (element) => `${element.localName}.${element.getAttribute("class")}: ${element.textContent.slice(0, 40)}`;
  const room = page.documentElement.clientWidth;
  // What would run if it could: the policy of the page has to keep it from it.
  const script = page.createElement("script");
  script.textContent = "document.title = 'it ran'";
  page.body.append(script);
  script.remove();
  return {
    ran: page.title === "it ran",
    scripts: page.scripts.length,
    handlers: elements.filter((element) => [...element.attributes].some((each) => each.name.startsWith("on"))).length,
    fetched: frame.performance.getEntriesByType("resource").map((entry) => entry.name),
    overflows: page.documentElement.scrollWidth > room,
    outside: elements.filter((element) => element.getBoundingClientRect().right > room + 0.5).map(label),
    faint: elements.filter((element) => hasText(element) && contrast(element) < 4.5).map(label),
    ground: ground(page.body),
    headings: [...page.querySelectorAll("h1, h2, h3")].map((heading) => heading.textContent),
    images: [...page.images].map((image) => {
      const [box, around] = [image, image.parentElement].map((element) => element.getBoundingClientRect());
      return {
        alt: image.alt,
        decoded: image.complete && image.naturalWidth > 0,
        natural: [image.naturalWidth, image.naturalHeight],
        said: [image.width > 0, Number(image.getAttribute("width")), Number(image.getAttribute("height"))],
        framed: box.width > 0 && box.left >= around.left && box.right <= around.right && box.bottom <= around.bottom + 0.5,
      };
    }),
    charts: [...page.querySelectorAll("svg.plot")].map((chart) => chart.getAttribute("aria-label")),
    cut: [...page.querySelectorAll("svg.plot text")].filter((text) => {
      const [written, chart] = [text, text.closest("svg")].map((element) => element.getBoundingClientRect());
      return written.left < chart.left || written.right > chart.right || written.bottom > chart.bottom;
    }).map((text) => text.textContent),
    // A text of the picture that is wider than its box, or a box over another.
    crowded: [...page.querySelectorAll(".picture g")].filter((group) => {
      const box = group.querySelector("rect").getBoundingClientRect();
      return [...group.querySelectorAll("text")].some((text) => {
        const written = text.getBoundingClientRect();
        return written.left < box.left + 2 || written.right > box.right - 2;
      });
    }).map((group) => group.textContent),
  };
}
