// The rail beside a long solution: a link to every step that says how it is labelled. The server makes it, so that it
// works as links; here it follows the labels and the current step, and is one stop of the tab key (arrows move in it).

import { stepsOf } from './form.js'
import { differ } from './sources.js'

const GLYPHS = { '+': '✓', 0: '–', '-': '✗', '?': '?', '.': '·' }
const WORDS = { '+': 'right', 0: 'neutral', '-': 'wrong', '?': 'unsure', '.': 'not judged' }
const WAYS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }
const NONE = { show() {}, mark() {} }

/** `go(i)` moves to a step. show(labels): as they are now; mark(i): the current step. */
export function makeRail(form, go) {
  const rail = form.querySelector('.rail')
  if (!rail) return NONE
  const list = rail.querySelector('ol')
  const marks = [...list.querySelectorAll('a')]
  const steps = stepsOf(form)
  let stop = 0 // which of the marks the tab key reaches
  let current = null

  const show = (labels) => marks.forEach((mark, i) => showOne(mark, i, labels[i], steps[i].classList.contains('missing')))

  function mark(i) {
    current?.removeAttribute('aria-current')
    current = marks[i]
    current?.setAttribute('aria-current', 'step')
    reach(i)
    requestAnimationFrame(() => keepInView(list, marks[stop])) // once a frame has been laid out anyway
  }

  function reach(i) {
    marks[stop].tabIndex = -1
    stop = Math.max(0, i)
    marks[stop].tabIndex = 0
  }

  function move(event) {
    const to = { Home: 0, End: marks.length - 1 }[event.key] ?? stop + (WAYS[event.key] ?? NaN)
    if (!marks[to] || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation() // else the page moves to the next step too
    reach(to)
    marks[to].focus({ preventScroll: true })
    keepInView(list, marks[to])
  }

  for (const other of marks) other.tabIndex = -1
  reach(0)
  list.addEventListener('keydown', move)
  list.addEventListener('click', (event) => {
    const link = event.target.closest('a')
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    go(marks.indexOf(link))
  })
  return { show, mark }
}

function showOne(mark, i, label, missing) {
  const differs = [...(mark.dataset.said ?? '')].some((said) => differ(said, label))
  const state = `${label}${missing ? '!' : ''}${differs ? '≠' : ''}`
  if (mark.dataset.state === state) return
  mark.dataset.state = state
  mark.dataset.label = label
  mark.classList.toggle('missing', missing)
  mark.classList.toggle('differs', differs)
  mark.lastElementChild.textContent = GLYPHS[label]
  const words = [`Step ${i + 1}: ${WORDS[label]}`, missing && 'missing', differs && 'differs'].filter(Boolean)
  mark.setAttribute('aria-label', words.join(', '))
}

/** Scrolls the rail alone, in its middle: the page stays where it is. */
function keepInView(list, mark) {
  list.scrollTop = mark.offsetTop - (list.clientHeight - mark.offsetHeight) / 2
  list.scrollLeft = mark.offsetLeft - (list.clientWidth - mark.offsetWidth) / 2
}
