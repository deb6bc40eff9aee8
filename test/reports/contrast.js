// Evaluated in the page: contrast (WCAG 2.2) of every text with the nearest painted ground, and of every mark of a picture.
(() => {
  // Mixed colours are told as color(srgb 0.1 0.2 0.3).
  const rgb = (color) => {
    const numbers = (color.match(/[\d.]+/g) ?? []).map(Number);
    return color.startsWith('color(') ? numbers.map((v, i) => (i < 3 ? 255 * v : v)) : numbers;
  };
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = (color) => {
    const [r, g, b] = rgb(color).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };
  const groundOf = (element) => {
    if (element === null) return 'rgb(255, 255, 255)';
    const { backgroundColor } = getComputedStyle(element);
    return rgb(backgroundColor)[3] === 0 ? groundOf(element.parentElement) : backgroundColor;
  };
  const owns = (element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
  const texts = [...document.body.querySelectorAll('*')].filter(owns).map((element) => {
    const styles = getComputedStyle(element);
    const color = element.closest('svg') === null ? styles.color : styles.fill;
    const what = `${element.tagName} ${element.textContent.slice(0, 30)}`;
    return { what, contrast: ratio(color, groundOf(element)) };
  });
  const marks = [...document.querySelectorAll('svg .mark-symbol path, svg .mark-line path')].map((element) => {
    const { fill, stroke } = getComputedStyle(element);
    const color = fill === 'none' || fill.endsWith(', 0)') ? stroke : fill;
    return { what: `mark ${color}`, contrast: ratio(color, groundOf(element)) };
  });
  return { texts, marks };
})();
