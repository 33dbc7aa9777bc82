// Sets mathematics: every span.tex holds TeX source with its delimiters, escaped by the server. What is in view is
// set at once, the rest as it comes near: a long solution holds more formulas than a browser keeps up with. A formula
// that KaTeX refuses stays readable as its source.

const AHEAD = '100%' // of the screen, above and below
const sources = new WeakMap()
const near = new Set()
let raw = false

// What KaTeX refuses (\href and the like) stands there by name, in the theme's own red.
const OPTIONS = { throwOnError: true, trust: false, strict: 'ignore', maxExpand: 200, maxSize: 20, errorColor: 'var(--no)' }

/** Sets the mathematics below `root`; may be called again for what has come in since. */
export function setMath(root) {
  const boxes = new Map()
  for (const span of root.querySelectorAll('.tex')) {
    if (sources.has(span)) continue
    sources.set(span, span.textContent)
    // A step is asked where it is, not its formulas: those of a step out of view have no place yet.
    const box = span.closest('.step') ?? span
    boxes.set(box, [...(boxes.get(box) ?? []), span])
  }
  setAll([...boxes.keys()].filter(inView).flatMap((box) => boxes.get(box)))
  performance.mark('mathematics in view')
  const watcher = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue
      watcher.unobserve(target)
      setAll(boxes.get(target))
    }
  }, { rootMargin: AHEAD })
  for (const box of boxes.keys()) watcher.observe(box)
}

/** Widths are asked for after all are set, so that the browser lays them out once. */
function setAll(spans) {
  const fresh = spans.filter((span) => !near.has(span))
  for (const span of fresh) {
    near.add(span)
    if (!raw) typeset(span)
  }
  for (const span of fresh.filter(isWide)) span.tabIndex = 0
}

/** Shows the TeX source instead of the formulas, or the formulas again. */
export function toggleRaw(root) {
  raw = !raw
  for (const span of near) {
    if (!root.contains(span)) continue
    if (raw) showSource(span)
    else typeset(span)
  }
  return raw
}

/** Asked of all before any is set, so that the browser lays the page out once. */
function inView(box) {
  const { top, bottom, width } = box.getBoundingClientRect()
  return width > 0 && bottom > 0 && top < innerHeight
}

/** A formula that one has to scroll is reached by the keyboard. */
const isWide = (span) => span.classList.contains('block') && span.scrollWidth > span.clientWidth + 1

function typeset(span) {
  const source = sources.get(span) ?? span.textContent
  try {
    window.katex.render(inner(source), span, { ...OPTIONS, displayMode: span.classList.contains('block') })
    span.classList.add('set')
  } catch (error) {
    showSource(span)
    span.classList.add('failed')
    span.title = `This TeX cannot be set: ${error.message}`
  }
}

function showSource(span) {
  span.textContent = sources.get(span) ?? span.textContent
  span.classList.remove('set')
}

/** The formula without its delimiters; an environment is its own. */
function inner(source) {
  if (/^(\$\$|\\\(|\\\[)/.test(source)) return source.slice(2, -2)
  return source.startsWith('$') ? source.slice(1, -1) : source
}
