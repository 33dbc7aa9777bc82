// The calculator's panel: lines that one types, their results, the last of them kept while the browser is open.

import { evaluate, Unreadable } from './arithmetic.js'
import { decimalText, exactText, Impossible } from './rational.js'

const KEPT = 'plumbline.calculator'
const LINES = 20

/** Opens and closes the calculator; null where the page has none. `toNote(line)` takes a line into the note. */
export function makeCalculator(panel, toNote) {
  if (!panel) return null
  const [input, output, list] = ['input', 'output', '.lines'].map((what) => panel.querySelector(what))
  const note = panel.querySelector('[data-do="note"]')
  const lines = kept()
  let last = null // the value of `ans`
  let turn = lines.length // which line the arrows have brought back
  let opener = null

  function toggle() {
    if (!panel.hidden) return close()
    opener = document.activeElement
    panel.hidden = false
    list.scrollTop = list.scrollHeight
    return input.focus()
  }

  function close() {
    panel.hidden = true
    if (opener?.isConnected) opener.focus({ preventScroll: true })
  }

  function compute() {
    const source = input.value.trim()
    if (!source) return
    const { text, wrong, value } = answer(source, last)
    say(text, wrong)
    if (wrong) return
    last = value ?? last
    lines.push({ source, text })
    lines.splice(0, lines.length - LINES)
    turn = lines.length
    input.value = ''
    keep(lines)
    list.append(row(lines.at(-1)))
    while (list.children.length > LINES) list.firstElementChild.remove()
    list.scrollTop = list.scrollHeight
    note.hidden = !toNote
  }

  function preview() {
    const source = input.value.trim()
    const { text, wrong } = source ? answer(source, last) : { text: '' }
    say(wrong ? '' : text, false)
  }

  function say(text, wrong) {
    output.textContent = text
    output.classList.toggle('no', wrong)
    input.setAttribute('aria-invalid', wrong)
  }

  function bringBack(way) {
    turn = Math.min(lines.length, Math.max(0, turn + way))
    input.value = lines[turn]?.source ?? ''
    preview()
  }

  panel.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault()
    compute()
  })
  input.addEventListener('input', preview)
  panel.addEventListener('keydown', (event) => {
    event.stopPropagation() // the review keys are for the steps
    const act = { Escape: close, ArrowUp: () => bringBack(-1), ArrowDown: () => bringBack(1) }[event.key]
    if (!act || (event.key !== 'Escape' && event.target !== input)) return
    event.preventDefault()
    act()
  })
  panel.addEventListener('click', ({ target }) => {
    const what = target.closest('button')?.dataset.do
    if (what === 'close') close()
    else if (what === 'note') toNote(`${lines.at(-1).source} ${lines.at(-1).text}`)
    else if (what === 'again') {
      input.value = target.closest('button').dataset.source
      input.focus()
      preview()
    }
  })
  list.append(...lines.map(row))
  note.hidden = !toNote || !lines.length
  return toggle
}

/** { text, wrong, value? }: what to say of a line. */
function answer(source, last) {
  try {
    const value = evaluate(source, last)
    if ('equal' in value) return { text: compared(value), wrong: false }
    const words = shown(value)
    return { text: words.startsWith('≈') ? words : `= ${words}`, wrong: false, value }
  } catch (error) {
    if (error instanceof Unreadable || error instanceof Impossible) return { text: error.message, wrong: true }
    throw error
  }
}

const compared = ({ equal, sides }) => (equal ? '✓ equal' : `✗ not equal: ${sides.map(shown).join(' and ')}`)

function shown(value) {
  const [exact, decimal] = [exactText(value), decimalText(value)]
  if (!exact) return `${decimal.rounded ? '≈ ' : ''}${decimal.text}`
  if (exact === decimal.text) return exact
  return `${exact} ${decimal.rounded ? '≈' : '='} ${decimal.text}`
}

function row({ source, text }) {
  const line = document.createElement('li')
  const again = document.createElement('button')
  again.type = 'button'
  again.className = 'link'
  Object.assign(again.dataset, { do: 'again', source })
  again.title = 'Take this line again'
  again.textContent = source
  line.append(again, ` ${text}`)
  return line
}

function kept() {
  try {
    const lines = JSON.parse(sessionStorage.getItem(KEPT)) ?? []
    return lines.filter((line) => typeof line.source === 'string' && typeof line.text === 'string').slice(-LINES)
  } catch {
    return [] // forbidden, or not ours: one starts anew
  }
}

function keep(lines) {
  try { sessionStorage.setItem(KEPT, JSON.stringify(lines)) } catch { /* full or forbidden: the panel still has them */ }
}
