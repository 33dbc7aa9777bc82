// The review screen: moves between steps, labels, undoes, sends. The form works without any of this.

import { byHand, fillBulk, followers } from './bulk.js'
import { makeCalculator } from './calculator.js'
import { startClock } from './clock.js'
import { csrf, makeDrafts } from './drafts.js'
import { fill, markStep, numberOf, read, stepsOf } from './form.js'
import { fillSheet, listen } from './keys.js'
import { makeLarge } from './large.js'
import { copyLink, openLinked } from './links.js'
import { setMath, toggleRaw } from './math.js'
import { focusOther, labelOther, otherAt, shownIn } from './others.js'
import { makeRail } from './rail.js'
import { markSources, nextDifference } from './sources.js'
import { say } from './say.js'
import { markStop } from './stops.js'

const TYPING_PAUSE_MS = 700
const UNDO_DEPTH = 200
const RETRY_MS = 3000
const ANSWER_OF = { right: ['right', 'yes'], wrong: ['wrong', 'no'], unsure: ['unsure'] }
const LABEL_OF = { right: '+', neutral: '0', wrong: '-', unsure: '?', unjudged: null }

const form = document.getElementById('review')
const config = JSON.parse(document.getElementById('review-config').textContent)
const refusal = document.getElementById('refusal')
const steps = stepsOf(form)
const questions = [...form.querySelectorAll('.questions fieldset.question')] // those below the steps
const isOpen = form.dataset.phase !== 'done'
const isFresh = ['blind', 'shown'].includes(form.dataset.phase) // nothing is judged yet
let here = -1
let busy = false
let retry = 0
const past = []
let last = read(form)

const rail = makeRail(form, (i) => go(i))
const drafts = isOpen ? makeDrafts(form, took) : null

/** What the form says now is what counts and what is seen. */
function took() {
  last = read(form)
  markStop(form, last.labels)
  rail.show(last.labels)
}

// --- Moving -----------------------------------------------------------------------------------------

function go(i, { scroll = true } = {}) {
  if (!steps[i]) return
  mark(i)
  steps[i].focus({ preventScroll: true })
  if (scroll) steps[i].scrollIntoView({ block: 'nearest', behavior: 'instant' })
}

function mark(i) {
  steps[here]?.classList.remove('here')
  here = i
  steps[here]?.classList.add('here')
  rail.mark(i)
}

const firstOpen = () => Math.max(0, last.labels.indexOf('.'))
const inQuestions = () => questions.indexOf(document.activeElement?.closest('fieldset.question'))

/** The next stop: another way to go on, then the next step; below the last one the questions. */
function forward() {
  const question = inQuestions()
  if (question >= 0) return ask(question + 1)
  const others = shownIn(steps[here])
  const other = others[others.indexOf(otherAt(document.activeElement)) + 1]
  return other ? focusOther(other) : onward()
}

function back() {
  const question = inQuestions()
  if (question >= 0) return question > 0 ? ask(question - 1) : go(steps.length - 1)
  const others = shownIn(steps[here])
  const at = others.indexOf(otherAt(document.activeElement))
  if (at > 0) return focusOther(others[at - 1])
  return go(at === 0 ? here : here < 0 ? steps.length - 1 : here - 1)
}

const onward = () => (here + 1 < steps.length ? go(here + 1) : questions.length && ask(0))

function ask(i) {
  const control = questions[i] ? questions[i].querySelector(':checked') ?? questions[i].querySelector('input') : document.getElementById('main-action')
  control?.focus({ preventScroll: true })
  control?.scrollIntoView({ block: 'nearest', behavior: 'instant' })
}

/** The next step without a label; of what is revealed the next where a machine says otherwise. */
function jump() {
  if (isFresh) return go(firstOpen())
  const i = nextDifference(steps, here)
  return i < 0 ? drafts?.show('saved', 'No step differs') : go(i)
}

// --- Changes ----------------------------------------------------------------------------------------

function changed(delay = 0) {
  cancelRetry()
  past.push({ draft: last, step: here })
  if (past.length > UNDO_DEPTH) past.shift()
  took()
  drafts.changed(delay)
}

function undo() {
  const before = past.pop()
  if (!before) return
  fill(form, before.draft)
  took()
  steps.forEach((step, i) => markSources(step, last.labels[i]))
  drafts.changed()
  if (before.step >= 0) go(before.step)
}

function label(name) {
  const question = document.activeElement?.closest('.question')
  if (question) return choose(question, ANSWER_OF[name] ?? [])
  if (here < 0) return undefined
  const other = otherAt(document.activeElement)
  if (other) return labelOtherWay(other, name)
  for (const radio of form.elements[`label-${here}`]) radio.checked = radio.value === LABEL_OF[name]
  given(here)
  if (name !== 'wrong' && name !== 'unjudged') onward()
  else steps[here].scrollIntoView({ block: 'nearest', behavior: 'instant' }) // it has grown by the error types
  return undefined
}

/** A label of a step, by hand. */
function given(i) {
  byHand(form, steps, i)
  steps[i].classList.remove('missing')
  changed()
  markSources(steps[i], last.labels[i])
}

/** Another way to go on is labelled, and the next one comes, if there is one. */
function labelOtherWay(other, name) {
  labelOther(other, LABEL_OF[name])
  changed()
  const others = shownIn(steps[here])
  const next = others[others.indexOf(other) + 1]
  if (next && name !== 'unjudged') focusOther(next)
}

/** The unjudged steps after this one get its label, in one act. */
function labelFollowing() {
  if (here < 0 || otherAt(document.activeElement)) return
  const from = last.labels[here] === '.' ? here - 1 : here // a label moves on: the step before is meant then
  const label = last.labels[from] ?? '.'
  if (label === '.') return refuse({ message: 'Label this step first: the steps after it are labelled like it.' })
  refusal.hidden = true
  const taken = followers(last.labels, from, form.classList.contains('stops'))
  if (!taken.length) return
  for (const i of taken) steps[i].querySelector(`[name="label-${i}"][value="${label}"]`).checked = true
  const labels = [...last.labels].map((old, i) => (taken.includes(i) ? label : old)).join('')
  fillBulk(form, steps, [...last.bulk, ...taken], labels)
  changed()
  for (const i of taken) markSources(steps[i], label)
}

/** Answers a question and moves to the next one. */
function choose(question, values) {
  const radio = [...question.querySelectorAll('input')].find((input) => values.includes(input.value))
  if (!radio) return
  radio.checked = true
  question.classList.remove('missing')
  changed()
  const open = [...form.querySelectorAll('fieldset.question')].find((other) => !other.querySelector(':checked'))
  if (open) open.querySelector('input').focus()
  else document.getElementById('main-action').focus()
}

function type(code) {
  const box = steps[here]?.querySelector(`[name="type-${here}"][value="${code}"]`)
  if (!box || last.labels[here] !== '-' || otherAt(document.activeElement)) return false
  box.checked = !box.checked
  changed()
  return true
}

function tool(name) {
  const step = steps[here]
  if (!step || otherAt(document.activeElement)) return
  const field = form.elements[`${name}-${here}`]
  if (name === 'delete') {
    field.checked = !field.checked
    markStep(form, step)
    changed()
    return
  }
  step.querySelector('.tools').open = true
  field.focus()
}

// --- Sending ----------------------------------------------------------------------------------------

async function send(name) {
  if (busy) return
  if (drafts && !drafts.settled) return refuse({ message: 'First choose which of the two versions to keep.' })
  cancelRetry()
  const body = new URLSearchParams(new FormData(form))
  body.set('do', name)
  body.delete('csrfmiddlewaretoken')
  if (name === 'ask') keepOnly(body, ['do', 'question'])
  setBusy(true)
  const response = await post(body)
  const answer = response && (await response.json().catch(() => null))
  setBusy(false)
  if (!response || response.status >= 500) return offline(name)
  if (!answer) return refuse({ message: 'You are signed out. Sign in in another tab, then send again: your work is kept here.' })
  if (!response.ok) return refuse(answer)
  return name === 'ask' ? asked() : leaveFor(answer.next)
}

async function post(body) {
  const headers = { Accept: 'application/json', 'X-CSRFToken': csrf(form) }
  try {
    return await fetch(location.pathname, { method: 'POST', headers, body })
  } catch {
    return null // no connection
  }
}

function keepOnly(body, names) {
  for (const name of [...body.keys()]) if (!names.includes(name)) body.delete(name)
}

function setBusy(now) {
  busy = now
  for (const button of form.querySelectorAll('button')) button.disabled = now
}

function offline(name) {
  refuse({ message: 'No connection: not sent yet. Your work is kept here and is sent as soon as the connection is back.' })
  retry = setTimeout(() => send(name), RETRY_MS)
}

function cancelRetry() {
  clearTimeout(retry)
  retry = 0
}

function leaveFor(next) {
  drafts?.finish()
  setBusy(true)
  location.assign(next)
}

function asked() {
  form.elements.question.value = ''
  document.getElementById('more-question').open = false
  drafts?.show('saved', 'Your question was sent')
}

/** Says why something was refused, marks what is missing and goes there. */
function refuse({ message, positions = [], field = '' }) {
  const links = positions.map((i) => Object.assign(document.createElement('a'), { href: `#s${i}`, textContent: `step ${i + 1}` }))
  refusal.replaceChildren(message, ...links.flatMap((link) => [' ', link]))
  refusal.hidden = false
  steps.forEach((step, i) => step.classList.toggle('missing', positions.includes(i)))
  rail.show(last.labels)
  if (positions.length) return go(positions[0])
  const named = form.elements[field]
  if (named) return named.focus()
  if (field.startsWith('verdict.')) return missingAnswer()
  return refusal.scrollIntoView({ block: 'nearest' })
}

function missingAnswer() {
  const open = [...form.querySelectorAll('fieldset.question')].filter((question) => !question.querySelector(':checked'))
  for (const question of open) question.classList.add('missing')
  open[0]?.querySelector('input').focus()
}

// --- Sheets -----------------------------------------------------------------------------------------

async function openGuidelines() {
  const link = document.getElementById('open-guidelines')
  const sheet = document.getElementById('guidelines')
  if (!link) return
  sheet.showModal()
  const box = sheet.querySelector('.prose')
  if (box.childElementCount) return
  box.textContent = 'Loading…'
  const html = await fetch(`${link.href}?fragment`).then((r) => r.text()).catch(() => '<p>No connection.</p>')
  box.replaceChildren(...new DOMParser().parseFromString(html, 'text/html').body.childNodes)
  setMath(box)
  link.querySelector('.tag')?.remove()
}

function openMore(id, field) {
  const details = document.getElementById(id)
  if (!details) return
  details.open = true
  form.elements[field].focus()
}

function leaveField() {
  const field = document.activeElement
  field.closest('.more details, .tools')?.removeAttribute('open')
  field.blur()
  if (here >= 0) steps[here].focus({ preventScroll: true })
}

function showClaim(claimed) {
  claimed?.focus({ preventScroll: true })
  claimed?.scrollIntoView({ block: 'nearest', behavior: 'instant' })
}

/** A line of the calculator, at the end of the note. */
function toNote(line) {
  const { note } = form.elements
  note.value = `${note.value}${note.value && !note.value.endsWith('\n') ? '\n' : ''}${line}\n`
  note.dispatchEvent(new Event('input', { bubbles: true }))
  say('Put into the note')
}

const openKeys = () => document.getElementById('keys').showModal()
const toggleOriginal = () => document.getElementById('original')?.toggleAttribute('open')
const mainAction = () => form.querySelector('.dock .btn.main').click()

// --- Wiring -----------------------------------------------------------------------------------------

const moving = {
  next: forward, previous: back, jump, commit: mainAction, leave: leaveField, original: toggleOriginal,
  raw: () => { toggleRaw(document) }, guidelines: openGuidelines, keys: openKeys,
  question: () => openMore('more-question', 'question'), link: () => { copyLink(here, say) },
  calculator: makeCalculator(document.getElementById('calculator'), form.elements.note && toNote),
  large: makeLarge(document.getElementById('larger'), form, say),
}
const claim = form.querySelector('[data-question="claim"]')
const judging = {
  undo, following: labelFollowing, note: () => openMore('more-note', 'note'),
  edit: () => tool('edit'), insert: () => tool('insert'), delete: () => tool('delete'),
  ...Object.fromEntries(Object.keys(LABEL_OF).map((name) => [name, () => label(name)])),
  ...Object.fromEntries(config.types.map(([code]) => [`type:${code}`, () => type(code)])),
  ...(claim && Object.fromEntries(['accept', 'fix', 'reject'].map((value) => [value, () => choose(claim, [value])]))),
}
listen(config, isOpen ? { ...moving, ...judging } : moving)

form.addEventListener('submit', (event) => {
  if (event.submitter?.hasAttribute('formaction') || form.elements.practice) return
  event.preventDefault()
  if (event.submitter?.name === 'following') return labelFollowing()
  const name = document.activeElement?.name === 'skip_reason' ? 'skip' : event.submitter?.value
  if (name === 'save') drafts?.changed()
  else if (name) send(name)
})

const isJudgement = (field) => !['question', 'skip_reason', 'why'].includes(field.name)

form.addEventListener('change', ({ target }) => {
  if (!drafts || !isJudgement(target)) return
  const step = target.closest('.step')
  if (step) markStep(form, step)
  step?.classList.remove('missing')
  if (target.name.startsWith('label-')) given(numberOf(step))
  else changed()
})

form.addEventListener('input', ({ target }) => {
  if (!drafts || !target.matches('textarea') || !isJudgement(target)) return
  cancelRetry()
  drafts.changed(TYPING_PAUSE_MS)
})

form.addEventListener('focusin', ({ target }) => {
  const step = target.closest('.step')
  if (step) mark(numberOf(step))
  else if (target.closest('.questions')) steps[here]?.classList.remove('here')
})
form.addEventListener('click', ({ target }) => {
  const step = target.closest('.step')
  if (step) mark(numberOf(step))
})

document.getElementById('open-keys')?.addEventListener('click', openKeys)
for (const id of ['open-calculator', 'open-calculator-here']) document.getElementById(id)?.addEventListener('click', moving.calculator)
document.getElementById('open-guidelines')?.addEventListener('click', (event) => {
  event.preventDefault()
  openGuidelines()
})
fillSheet(document.getElementById('keys'), config)
const definitions = Object.fromEntries(config.types.map(([code, , , definition]) => [code, definition]))
for (const chip of form.querySelectorAll('.chip')) chip.title = definitions[chip.firstChild.value] ?? ''

if (isOpen) startClock(form.elements.duration_ms)
markStop(form, last.labels)

if (!openLinked(steps, go)) {
  if (isFresh) go(firstOpen(), { scroll: firstOpen() > 0 })
  else showClaim(form.querySelector('.claim'))
}
performance.mark('keys live')
setMath(document)
