// Sets mathematics: every span.tex holds TeX source with its delimiters, escaped by the server. What is in view
// comes first, the rest when the browser is idle. A formula that KaTeX refuses stays readable as its source.

const sources = new WeakMap()
let raw = false

// What KaTeX refuses (\href and the like) stands there by name, in the theme's own red.
const OPTIONS = { throwOnError: true, trust: false, strict: 'ignore', maxExpand: 200, maxSize: 20, errorColor: 'var(--no)' }

/** Sets the mathematics below `root`; may be called again for what has come in since. */
export function setMath(root) {
  const spans = [...root.querySelectorAll('.tex')].filter((span) => !sources.has(span))
  for (const span of spans) sources.set(span, span.textContent)
  const waiting = new Set(spans)
  const take = (span) => waiting.delete(span) && !raw && typeset(span)
  const watcher = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (isIntersecting) take(target)
    }
  }, { rootMargin: '200px' })
  for (const span of spans.filter(inView)) take(span)
  performance.mark('mathematics in view')
  for (const span of waiting) watcher.observe(span)
  whenIdle((deadline) => {
    for (const span of waiting) {
      if (deadline.timeRemaining() < 3) return true
      take(span)
    }
    watcher.disconnect()
    return false
  })
}

/** Shows the TeX source instead of the formulas, or the formulas again. */
export function toggleRaw(root) {
  raw = !raw
  for (const span of root.querySelectorAll('.tex')) {
    if (raw) showSource(span)
    else typeset(span)
  }
  return raw
}

/** Asked of all spans before any is set, so that the browser lays the page out once. */
function inView(span) {
  const { top, bottom, width } = span.getBoundingClientRect()
  return width > 0 && bottom > 0 && top < innerHeight
}

function typeset(span) {
  const source = sources.get(span) ?? span.textContent
  try {
    window.katex.render(inner(source), span, { ...OPTIONS, displayMode: span.classList.contains('block') })
    span.classList.add('set')
    if (span.scrollWidth > span.clientWidth + 1 && span.classList.contains('block')) span.tabIndex = 0
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

function whenIdle(work) {
  const later = window.requestIdleCallback ?? ((run) => setTimeout(() => run({ timeRemaining: () => 8 }), 30))
  later((deadline) => work(deadline) && whenIdle(work))
}
