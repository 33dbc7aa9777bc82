// Settling an item by keys: move between steps, take over what a reviewer said, label, undo. The form itself is the
// state, so that what is sent is what one sees.
import { setMath } from './math.js'

const TYPING = 'textarea, select, input:not([type="radio"], [type="checkbox"])'
const form = document.getElementById('adjudicate')
const rows = [...form.querySelectorAll('tr[data-step]')]
const undone = []
let here = Math.max(0, rows.findIndex((row) => row.matches('.differs')))

const radios = (row) => [...row.querySelectorAll('.pick input')]
const types = (row) => [...row.querySelectorAll('.kinds input')]
const cells = (row) => [...row.querySelectorAll('.cell')]
const read = (row) => [...radios(row), ...types(row)].map((input) => input.checked)
const restore = (row, was) => [...radios(row), ...types(row)].forEach((input, n) => { input.checked = was[n] })

const label = (row) => radios(row).find((input) => input.checked)?.value ?? '.'

/** Does `act` to rows as one act that undo takes back. Labels given to several rows at once are bulk: nobody looked
    at each. */
function change(changed, act, isBulk = false) {
  undone.push([form.bulk.value, changed.map((row) => [row, read(row)])])
  changed.forEach(act)
  mark(changed, isBulk)
}

function mark(changed, isBulk) {
  const steps = new Set(changed.map((row) => row.dataset.step))
  const rest = form.bulk.value.split(',').filter((part) => part && !steps.has(part.slice(0, -1)))
  const added = isBulk ? changed.map((row) => row.dataset.step + label(row)) : []
  form.bulk.value = [...rest, ...added].join(',')
}

function give(row, value, codes) {
  radios(row).forEach((input) => { input.checked = input.value === value })
  types(row).forEach((input) => { input.checked = codes.includes(input.value) })
}

const adopt = (row, cell) => give(row, cell.dataset.label, cell.dataset.types.split(' '))
const adoptCell = (row, n) => cells(row)[n] && change([row], () => adopt(row, cells(row)[n]))
const adoptColumn = (n) => cells(rows[0])[n] && change(rows, (row) => adopt(row, cells(row)[n]), true)

function goTo(n) {
  if (n < 0 || n >= rows.length) return
  rows[here].classList.remove('here')
  here = n
  rows[here].classList.add('here')
  rows[here].focus({ preventScroll: true })
  rows[here].scrollIntoView({ block: 'nearest' })
}

function nextDifference() {
  const after = [...rows.keys()].map((n) => (here + 1 + n) % rows.length)
  goTo(after.find((n) => rows[n].matches('.differs')) ?? here)
}

function undo() {
  const last = undone.pop()
  if (!last) return
  form.bulk.value = last[0]
  last[1].forEach(([row, was]) => restore(row, was))
}

const KEYS = {
  j: () => goTo(here + 1),
  ArrowDown: () => goTo(here + 1),
  k: () => goTo(here - 1),
  ArrowUp: () => goTo(here - 1),
  l: nextDifference,
  u: undo,
  r: () => document.getElementById('reason').focus(),
  Enter: () => form.querySelector('.btn.main').click(),
}
for (const value of ['+', '0', '-', '?']) {
  KEYS[value] = () => change([rows[here]], (row) => {
    const kept = types(row).filter((input) => value === '-' && input.checked).map((input) => input.value)
    give(row, value, kept)
  })
}
for (let n = 0; n < 9; n += 1) {
  KEYS[String(n + 1)] = () => adoptColumn(n)
  KEYS['abcdefghi'[n]] = () => adoptCell(rows[here], n)
}

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  if (event.target.matches(TYPING)) {
    if (event.key === 'Escape') rows[here].focus()
    return
  }
  if (event.key === 'Enter' && event.target.matches('a, button, summary')) return
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key]
  if (!act) return
  act()
  event.preventDefault()
})

form.addEventListener('click', (event) => {
  const button = event.target.closest('button[name="adopt"]')
  if (!button) return
  event.preventDefault()
  const [column] = button.value.split('.')
  const row = button.closest('tr[data-step]')
  if (!row) adoptColumn(Number(column) - 1)
  else {
    goTo(rows.indexOf(row))
    adoptCell(row, Number(column) - 1)
  }
})

// A label chosen with the pointer or by Tab and Space is taken back like any other.
let before = null
form.addEventListener('pointerdown', (event) => { before = seen(event.target) })
form.addEventListener('focusin', (event) => { before = seen(event.target) })
form.addEventListener('change', (event) => {
  const row = event.target.closest('tr[data-step]')
  if (!row) return
  if (before?.[0] === row) undone.push([form.bulk.value, [before]])
  mark([row], false)
  before = [row, read(row)]
  goTo(rows.indexOf(row))
})

function seen(target) {
  const row = target.closest('tr[data-step]')
  return row && [row, read(row)]
}

setMath(document)
if (!document.getElementById('refusal')) goTo(here)
